"""`recaffe test`: over a data set, measured, in the usual formats, whole after a break."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from recaffe.tools.datasets.proposals import read_proposals, write_proposals
from recaffe.tools.detection.sets.store import Store
from recaffe.tools.main import main

SMALL = (
    "TEST.SCALES",
    "[96]",
    "TEST.MAX_SIZE",
    "160",
    "TEST.RPN_POST_NMS_TOP_N",
    "30",
    "TEST.RPN_PRE_NMS_TOP_N",
    "400",
)
CLASSES = ("--classes", "disc,block,wedge")


@pytest.fixture(scope="session")
def folder(fixtures_dir: Path) -> Path:
    return fixtures_dir / "detection"


def run(folder: Path, net: str, *words: object) -> int:
    nets, voc = folder / "nets", folder / "VOCdevkit2007"
    weights = nets / ("rfcn.caffemodel" if net == "rfcn" else "frcnn.caffemodel")
    command = ["test", str(nets / f"{net}.prototxt"), str(weights), str(voc), *CLASSES, *map(str, words)]
    return main([*command, "--set", *SMALL])


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, net: str, *words: object) -> str:
    assert run(folder, net, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.removeprefix("recaffe test: ").rstrip("\n")


def files(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_vocs_files_table_and_curves(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "frcnn", "--out", tmp_path, "--plot") == 0
    lines = capsys.readouterr().out.splitlines()
    printed = (folder / "evaluation" / "frcnn" / "printed.txt").read_text()
    assert [line for line in lines if line.partition("   ")[0] not in printed] == lines[-1:]
    assert lines[-1].startswith("8 pictures, ")
    for path in (folder / "evaluation" / "frcnn").glob("comp4*"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["mean_ap"] == pytest.approx(0.00202, abs=1e-5)
    assert report["classes"]["disc"] == {"ap": pytest.approx(0.0060606, abs=1e-6), "objects": 8, "detections": 93}
    assert cv2.imread(str(tmp_path / "precision.png")).shape[2] == 3


def test_a_second_run_gives_the_same_bytes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "frcnn", "--out", tmp_path) == 0
    content = files(tmp_path)
    capsys.readouterr()
    assert run(folder, "frcnn", "--out", tmp_path, "--json") == 0
    captured = capsys.readouterr()
    assert captured.err.endswith(": 8 of 8 pictures are done already\n")
    assert captured.out == (tmp_path / "report.json").read_text()
    assert files(tmp_path) == content


def test_other_results_are_kept(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "frcnn", "--out", tmp_path) == 0
    content = files(tmp_path)
    capsys.readouterr()
    for words, what in (
        (("--thresh", 0.3), "net, weights, options or pictures differ"),
        (("--metric", "area"), "metric differs"),
    ):
        line = refusal(capsys, folder, "frcnn", "--out", tmp_path, *words)
        expected = f"{tmp_path}/report.json: is of another run (its {what}): --force replaces it, or choose --out"
        assert line == expected
    assert files(tmp_path) == content
    assert run(folder, "frcnn", "--out", tmp_path, "--thresh", 0.3, "--force") == 0
    assert len(list(tmp_path.glob("found-*"))) == 2


def test_what_broke_off_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put, done = Store.put, list[str]()

    def breaking(self: Store, name: str, rows: np.ndarray) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(name)
        put(self, name, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", breaking)
        assert refusal(capsys, folder, "rfcn", "--out", tmp_path / "a") == "interrupted"
    assert [path.name for path in (tmp_path / "a").iterdir()] == [next((tmp_path / "a").glob("found-*")).name]
    assert run(folder, "rfcn", "--out", tmp_path / "a") == 0
    assert "3 of 8 pictures are done already" in capsys.readouterr().err
    assert run(folder, "rfcn", "--out", tmp_path / "b") == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_two_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, words in (("1", ""), ("0", "Mean AP = 0.0020")):
        monkeypatch.setenv("RANK", rank)
        assert run(folder, "frcnn", "--out", tmp_path / "two") == 0
        assert words in capsys.readouterr().out
        assert len(list((tmp_path / "two").glob("found-*/*.npy"))) == (4 if rank == "1" else 8)
    monkeypatch.delenv("WORLD_SIZE")
    monkeypatch.delenv("RANK")
    assert run(folder, "frcnn", "--out", tmp_path / "one") == 0
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_fast_rcnn_with_proposals(folder: Path, tmp_path: Path) -> None:
    boxes = {}
    for path in sorted((folder / "detection" / "fast").glob("0*.npz")):
        with np.load(path) as golden:
            boxes[path.stem] = golden["proposals"]
    write_proposals(tmp_path / "p.npz", {name: (own, np.ones(len(own))) for name, own in boxes.items()})
    words = ("--proposals", tmp_path / "p.npz", "--allow-unused", "--batch", 3, "--out", tmp_path / "out")
    assert run(folder, "fast", *words) == 0
    found = {path.stem: np.load(path) for path in (tmp_path / "out").glob("found-*/*.npy")}
    with np.load(folder / "detection" / "fast" / "all_boxes_default.npz") as golden:
        for number, name in enumerate(golden["image_index"]):
            for label in (1, 2, 3):
                rows = found[str(name)]
                assert np.allclose(rows[rows[:, 5] == label, :5], golden[f"{label}/{number}"], rtol=0, atol=1e-3)


def test_an_rpns_recall_and_proposals(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--allow-unused", "--plot", "--out", tmp_path)
    assert main_with_60(folder, words) == 0
    out = capsys.readouterr().out
    assert "area all      mean recall 0.1905, at 0.5 0.6190, at 0.7 0.1905\n" in out
    assert "best 10       mean recall 0.0286, at 0.5 0.1429, at 0.7 0.0000\n" in out
    with np.load(folder / "proposals_rpn.npz") as golden:
        names = [str(name) for name in golden["image_index"]]
        for number, boxes in enumerate(read_proposals(tmp_path / "proposals.npz", names)):
            assert np.allclose(boxes, golden[f"{number}/boxes"], rtol=0, atol=1e-3)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["areas"]["all"]["mean_recall"] == pytest.approx(0.1904762)
    assert report["areas"]["small"]["mean_recall"] is None
    assert (tmp_path / "recall.png").exists()


def main_with_60(folder: Path, words: tuple[object, ...]) -> int:
    more = tuple("60" if SMALL[i - 1] == "TEST.RPN_POST_NMS_TOP_N" else word for i, word in enumerate(SMALL))
    nets = folder / "nets"
    command = ["test", nets / "rpn.prototxt", nets / "frcnn.caffemodel", folder / "VOCdevkit2007", *CLASSES, *words]
    return main([*map(str, command), "--set", *more])


def test_cocos_measure_of_a_voc_set(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "frcnn", "--metric", "coco", "--out", tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("AP 0.001   AP50 0.002   AP75 0.000   APs -1.000   APm 0.001")
    results = json.loads((tmp_path / "detections_test_results.json").read_text())
    assert len(results) == 93 + 46 + 52
    assert {result["image_id"] for result in results} == set(range(1, 9))


def test_cocos_own_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same picture, classes and detections under COCO's numbers."""
    instances = {
        "images": [{"id": 42, "file_name": "000019.jpg", "width": 153, "height": 162}],
        "categories": [{"id": n, "name": name} for n, name in ((9, "disc"), (4, "block"), (7, "wedge"))],
        "annotations": [
            {"id": 1, "image_id": 42, "category_id": 9, "bbox": [29, 15, 90, 80], "area": 7200, "iscrowd": 0}
        ],
    }
    path, nets = tmp_path / "instances_val.json", folder / "nets"
    path.write_text(json.dumps(instances))
    images = folder / "VOCdevkit2007" / "VOC2007" / "JPEGImages"
    words = [nets / "frcnn.prototxt", nets / "frcnn.caffemodel", path, "--images", images, "--out", tmp_path / "out"]
    assert main(["test", *map(str, words), "--set", *SMALL]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("AP for disc = 0.")
    results = json.loads((tmp_path / "out" / "detections_instances_val_results.json").read_text())
    assert {result["image_id"] for result in results} == {42}
    assert {result["category_id"] for result in results} == {9, 7}
    with np.load(folder / "detection" / "frcnn" / "all_boxes_default.npz") as golden:
        x1, y1, x2, y2, score = golden["1/0"][0]
    first = next(result for result in results if result["category_id"] == 9)
    assert first["bbox"] == pytest.approx([x1, y1, x2 - x1 + 1, y2 - y1 + 1], abs=1e-3)
    assert first["score"] == pytest.approx(score, abs=1e-5)


def test_what_cannot_be_used_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ("--out", tmp_path / "out")
    assert refusal(capsys, folder, "frcnn", *out, "--batch", 0) == "--batch 0: at least 1"
    line = refusal(capsys, folder, "fast", *out, "--allow-unused")
    assert line == "net 'tiny_frcnn' makes no proposals: hand it some (--proposals)"
    line = refusal(capsys, folder, "fast", *out, "--allow-unused", "--recall")
    assert line == "net 'tiny_frcnn' proposes nothing: it needs input im_info and blob rois"
    line = refusal(capsys, folder, "frcnn", *out, "--image-set", "none")
    assert line.endswith("ImageSets/Main/none.txt: cannot be read: No such file or directory")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    line = refusal(capsys, folder, "frcnn", *out, "--plot")
    assert line == "curves need matplotlib: pip install 'recaffe[plot]', or leave --plot out"
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    line = refusal(capsys, folder, "frcnn", *out, "--metric", "coco")
    assert line == "COCO's measure needs pycocotools: pip install 'recaffe[coco]'"
    assert not (tmp_path / "out").exists()
