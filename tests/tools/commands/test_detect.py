"""`recaffe detect`: pictures in, drawn pictures and lines of JSON out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from recaffe.tools.datasets.proposals import write_proposals
from recaffe.tools.main import main

SMALL = ("--set", "TEST.SCALES", "[96]", "TEST.MAX_SIZE", "160", "TEST.RPN_POST_NMS_TOP_N", "30")
SMALL += ("TEST.RPN_PRE_NMS_TOP_N", "400")


@pytest.fixture(scope="session")
def folder(fixtures_dir: Path) -> Path:
    return fixtures_dir / "detection"


@pytest.fixture(scope="session")
def images(folder: Path) -> Path:
    return folder / "VOCdevkit2007" / "VOC2007" / "JPEGImages"


def detect(folder: Path, net: str, *words: object) -> int:
    nets = folder / "nets"
    return main(["detect", str(nets / f"{net}.prototxt"), str(nets / "frcnn.caffemodel"), *map(str, words), *SMALL])


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, net: str, *words: object) -> str:
    assert detect(folder, net, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.removeprefix("recaffe detect: ").rstrip("\n")


def lines_of(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "detections.jsonl").read_text().splitlines()]


def test_pictures_and_lines(folder: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = [images / "000019.jpg", images / "000021.jpg"]
    words = (*pictures, "--classes", "disc,block,wedge", "--out", tmp_path / "out", "--thresh", 0.3, "--max", 0)
    assert detect(folder, "frcnn", *words) == 0
    first, second = capsys.readouterr().out.splitlines()
    lines = lines_of(tmp_path / "out")
    assert [(line["image"], line["width"], line["height"]) for line in lines] == [
        (str(pictures[0]), 153, 162),
        (str(pictures[1]), 166, 152),
    ]
    with np.load(folder / "detection" / "frcnn" / "all_boxes_unlimited.npz") as golden:
        for number, line in enumerate(lines):
            found = line["detections"]
            assert isinstance(found, list)
            assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
            for label, name in enumerate(("disc", "block", "wedge"), 1):
                rows = np.array([[*row["box"], row["score"]] for row in found if row["class"] == name]).reshape(-1, 5)
                assert np.abs(rows - golden[f"{label}/{number}"]).max(initial=0) < 1e-3
    assert first == f"{pictures[0]} -> {tmp_path}/out/000019.jpg: 4 disc, 6 wedge"
    drawn = cv2.imread(str(tmp_path / "out" / "000019.jpg"))
    assert drawn.shape == (162, 153, 3)
    assert not np.array_equal(drawn, cv2.imread(str(pictures[0])))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["000019.jpg", "000021.jpg", "detections.jsonl"]
    assert second


def test_the_same_again_and_as_json(
    folder: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (images / "000019.jpg", "--out", tmp_path, "--max", 2, "--thresh", 0.1)
    assert detect(folder, "frcnn", *words, "--json") == 0
    printed = capsys.readouterr().out
    content = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert printed == content["detections.jsonl"].decode()
    assert [row["class"] for row in json.loads(printed)["detections"]] == ["class 3", "class 3"]
    expected = f"{tmp_path}/detections.jsonl: exists already (--force replaces it)"
    assert refusal(capsys, folder, "frcnn", *words) == expected
    assert detect(folder, "frcnn", *words, "--force") == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == content


def test_a_folder_of_pictures(folder: Path, tmp_path: Path) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("b.png", "a.PNG"):
        cv2.imencode(".png", np.full((60, 90, 3), 90, np.uint8))[1].tofile(shots / name)
    (shots / "notes.txt").write_text("no picture")
    assert detect(folder, "frcnn", shots, "--out", tmp_path / "out") == 0
    assert [Path(str(line["image"])).name for line in lines_of(tmp_path / "out")] == ["a.PNG", "b.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "detections.jsonl"]


def test_proposals_of_a_file_and_of_an_rpn(
    folder: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = images / "000019.jpg"
    with np.load(folder / "detection" / "fast" / "000019.npz") as golden:
        boxes = golden["proposals"]
    write_proposals(tmp_path / "p.npz", {"000019": (boxes, np.ones(len(boxes)))})
    words = (image, "--allow-unused", "--out")
    assert detect(folder, "fast", *words, tmp_path / "fast", "--proposals", tmp_path / "p.npz", "--thresh", 0.3) == 0
    assert lines_of(tmp_path / "fast")[0]["detections"]
    assert detect(folder, "rpn", *words, tmp_path / "rpn", "--max", 7) == 0
    assert capsys.readouterr().out.endswith(": 7 proposal\n")
    line = refusal(capsys, folder, "fast", *words, tmp_path / "none")
    assert line == "net 'tiny_frcnn' makes no proposals: hand it some (--proposals)"
    assert list((tmp_path / "none").iterdir()) == []


def test_what_cannot_be_used_is_one_line(
    folder: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, text = images / "000019.jpg", tmp_path / "000019.txt"
    text.write_text("no picture")
    (tmp_path / "empty").mkdir()
    known = ".jpg, .jpeg, .png, .bmp, .tif, .tiff, .webp"
    cases = {
        (tmp_path / "none.png",): f"{tmp_path}/none.png: no such file or folder",
        (tmp_path / "empty",): f"{tmp_path}/empty: no picture in this folder (known are {known})",
        (text, image): f"{image} and {text} have one name: detect them into two folders (--out)",
        (text, "--out", tmp_path / "out"): f"{text}: is no image that OpenCV reads, or a damaged one",
        (
            image,
            "--classes",
            "cat",
        ): "1 classes (cat) are named (--classes), but the net tells 3 and the background apart",
    }
    for words, line in cases.items():
        assert refusal(capsys, folder, "frcnn", *words) == line
