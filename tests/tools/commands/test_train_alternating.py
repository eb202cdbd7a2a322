"""`recaffe train-alternating`: the four steps, what they share, and a stopped run that goes on to the same bits."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.progress import Record
from recaffe.prototxt.solving.snapshot import Snapshot
from recaffe.tools.datasets.drawn.shapes_set import write_shapes
from recaffe.tools.datasets.images.pixels import Floats
from recaffe.tools.detection.sets.store import Store
from recaffe.tools.main import main
from recaffe.tools.training.log import TrainLog

CONFIG = """
TRAIN: {SCALES: [160], MAX_SIZE: 200, SNAPSHOT_ITERS: 2}
TEST: {SCALES: [160], MAX_SIZE: 200, RPN_MIN_SIZE: 8}
"""
STEPS = ("stage1_rpn", "stage1_fast_rcnn", "stage2_rpn", "stage2_fast_rcnn")
TRUNK = [f"conv{i}" for i in range(1, 6)]
Train = Callable[..., int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, and in `out` all steps of the small net on it."""
    folder = tmp_path_factory.mktemp("alternating")
    write_shapes(folder / "shapes", 12, 3)
    (folder / "small.yml").write_text(CONFIG)
    assert call(folder, folder / "out") == 0
    return folder


def call(home: Path, out: Path, *words: object, nets: object = "small") -> int:
    fixed = (nets, home / "shapes", "--cfg", home / "small.yml", "--quiet", "--out", out)
    anchors = ("--scales", 1, 2, 4) if nets == "small" else ()
    return main(["train-alternating", *map(str, (*fixed, *anchors, *(words or ("--iters", 3))))])


def file_of(out: Path, step: str) -> Path:
    return out / step / str(json.loads((out / step / "step.json").read_text())["result"])


def params_of(out: Path, step: str) -> dict[str, bytes]:
    """The first param of each layer."""
    layers = read_weights(file_of(out, step)).layers
    return {layer.name: layer.blobs[0].tensor().numpy().tobytes() for layer in layers if layer.blobs}


def test_the_second_stage_leaves_the_shared_convolutions(home: Path) -> None:
    first, head, rpn, last = (params_of(home / "out", step) for step in STEPS)
    assert all(head[name] != first[name] for name in TRUNK)
    assert all(head[name] == rpn[name] == last[name] for name in TRUNK)
    assert rpn["rpn_conv/3x3"] != head["rpn_conv/3x3"]
    carried = ("rpn_conv/3x3", "rpn_cls_score", "rpn_bbox_pred")
    assert all(last[name] == rpn[name] for name in carried)
    assert rpn["fc6"] == head["fc6"] != last["fc6"]


def test_the_last_weights_are_a_whole_detectors(home: Path) -> None:
    final = home / "out" / "final.caffemodel"
    assert final.read_bytes() == file_of(home / "out", STEPS[-1]).read_bytes()
    net = Net.from_prototxt(home / "out" / "nets" / "faster_rcnn_test.pt", weights=final)
    assert {"cls_prob", "bbox_pred"} <= set(net.outputs)


def test_only_the_last_snapshot_stays(home: Path) -> None:
    folder = home / "out" / "stage1_rpn"
    stem = "small_rpn_stage1_iter_3"
    kept = {f"{stem}.caffemodel", f"{stem}.resume.npz", f"{stem}.solverstate"}
    assert {path.name for path in folder.glob("*_iter_*")} == kept
    proposed = home / "out" / "stage1_rpn_proposals"
    assert {path.name for path in proposed.iterdir()} == {"proposals.npz", "step.json"}


def test_a_stopped_run_goes_on_to_the_same_bits(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told, put = TrainLog.tell, Store.put

    def stopped(self: TrainLog, record: Record) -> None:
        told(self, record)
        if isinstance(record, Snapshot) and self.folder.name == "stage1_fast_rcnn":
            os.kill(os.getpid(), signal.SIGINT)

    def interrupted(self: Store, name: str, rows: Floats) -> None:
        put(self, name, rows)
        raise KeyboardInterrupt

    out = tmp_path / "out"
    monkeypatch.setattr(Store, "put", interrupted)
    assert call(home, out) == 2
    assert capsys.readouterr().err == "recaffe train-alternating: interrupted\n"
    monkeypatch.undo()
    monkeypatch.setattr(TrainLog, "tell", stopped)
    assert call(home, out) == 2
    line = "stage1_fast_rcnn: stopped after iteration 3; the same command goes on from there\n"
    captured = capsys.readouterr()
    assert captured.err == f"recaffe train-alternating: {line}"
    assert "stage1_rpn: is done (" in captured.out
    monkeypatch.undo()
    (out / "stage1_fast_rcnn" / "small_fast_rcnn_stage1_iter_3.solverstate").unlink()
    assert call(home, out) == 0
    assert f"goes on from {out}/stage1_fast_rcnn/small_fast_rcnn_stage1_iter_2.solverstate\n" in capsys.readouterr().out
    assert (out / "final.caffemodel").read_bytes() == (home / "out" / "final.caffemodel").read_bytes()


def test_what_is_done_is_not_done_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    final = home / "out" / "final.caffemodel"
    assert call(home, home / "out") == 0
    done = [f"{step}: is done ({file_of(home / 'out', step)})\n" for step in STEPS]
    assert capsys.readouterr().out == "".join(done) + f"{final}: goes with {home}/out/nets/faster_rcnn_test.pt\n"


def test_steps_begun_from_something_else_are_kept(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(home / "out", out)
    words = ("--iters", 3, 3, 3, 2)
    assert call(home, out, *words) == 2
    way_out = "was begun from another solver: --force begins it anew, or choose another --out"
    assert capsys.readouterr().err == f"recaffe train-alternating: {out}/stage2_fast_rcnn: {way_out}\n"
    assert call(home, out, *words, "--force") == 0
    assert file_of(out, "stage2_fast_rcnn").name == "small_fast_rcnn_stage2_iter_2.caffemodel"
    assert file_of(out, "stage2_rpn").read_bytes() == file_of(home / "out", "stage2_rpn").read_bytes()


@pytest.mark.parametrize(
    ("nets", "words", "line"),
    [
        ("tiny", (), "tiny: is neither a folder of solvers nor a model of the zoo (recaffe zoo lists them)"),
        ("small", ("--iters", 0), "--iters 0: at least 1"),
        ("small", ("--iters", 1, 2), "--iters has 2 numbers: give one for all, or one for each of " + ", ".join(STEPS)),
        (".", ("--scales", 4), "--scales: the prototxts of . say which anchors they have"),
        ("small", ("--iters", 1, "--weights", "no.caffemodel"), "no.caffemodel: No such file or directory"),
    ],
)
def test_refusals(
    nets: str, words: tuple[object, ...], line: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, tmp_path / "out", *words, nets=nets) == 2
    assert capsys.readouterr().err == f"recaffe train-alternating: {line}\n"


def test_under_torchrun_it_refuses(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert call(home, tmp_path / "out") == 2
    line = "recaffe train-alternating: runs in one process: start it without torchrun\n"
    assert capsys.readouterr().err == line
