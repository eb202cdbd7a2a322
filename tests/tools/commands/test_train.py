"""`recaffe train`: the loss falls, logs and snapshots are whole, and a stopped training goes on to the same bits."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.progress import Record
from recaffe.prototxt.solving.snapshot import Snapshot
from recaffe.prototxt.text.read import print_text
from recaffe.prototxt.zoo.catalog import make_net
from recaffe.prototxt.zoo.rpn import DetectionTask
from recaffe.prototxt.zoo.solvers import make_solver
from recaffe.tools.datasets.drawn.shapes_set import write_shapes
from recaffe.tools.main import main
from recaffe.tools.training.log import TrainLog

CONFIG = """
TRAIN:
  HAS_RPN: True
  IMS_PER_BATCH: 1
  SCALES: [160]
  MAX_SIZE: 200
  BBOX_NORMALIZE_TARGETS_PRECOMPUTED: True
  BG_THRESH_LO: 0.0
  RPN_MIN_SIZE: 8
"""
Train = Callable[..., int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, a small net and its solver."""
    folder = tmp_path_factory.mktemp("train")
    write_shapes(folder / "shapes", 12, 3)
    task = DetectionTask(classes=6, scales=(1, 2, 4))
    (folder / "train.prototxt").write_text(print_text(make_net("small", "end2end", "TRAIN", task)))
    (folder / "solver.prototxt").write_text(print_text(make_solver("small", train_net=str(folder / "train.prototxt"))))
    (folder / "small.yml").write_text(CONFIG)
    return folder


@pytest.fixture
def train(home: Path, tmp_path: Path) -> Train:
    def call(*words: object, out: str = "out") -> int:
        fixed = (
            home / "solver.prototxt",
            home / "shapes",
            "--cfg",
            home / "small.yml",
            "--quiet",
            "--out",
            tmp_path / out,
        )
        return main(["train", *map(str, fixed), *map(str, words)])

    return call


def lines_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


def test_the_loss_falls(train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--iters", 60) == 0
    lines = lines_of(tmp_path / "out")
    assert [line["iter"] for line in lines] == [0, 20, 40, 60]
    assert lines[-1]["smoothed_loss"] < 0.8 * lines[0]["smoothed_loss"]
    assert {"loss_cls", "loss_bbox", "rpn_cls_loss", "rpn_loss_bbox", "lr"} < set(lines[0])
    with (tmp_path / "out" / "train.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [{name: float(value) for name, value in row.items()} for row in rows] == lines
    out = capsys.readouterr().out
    assert out.startswith("18 pictures, ")
    assert "classes: cross, disc, square, star, triangle\n" in out
    assert "iteration 60: lr 0, loss " in out


def test_a_stopped_training_goes_on_to_the_same_bits(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--iters", 12) == 0
    told = TrainLog.tell

    def interrupted(self: TrainLog, record: Record) -> None:
        told(self, record)
        if isinstance(record, Snapshot) and record.iter == 5:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(TrainLog, "tell", interrupted)
    assert train("--iters", 12, "--set", "TRAIN.SNAPSHOT_ITERS", 5, out="two") == 2
    assert capsys.readouterr().err.endswith("stopped after iteration 6; --resume goes on from there\n")
    monkeypatch.undo()
    assert train("--iters", 12, "--resume", out="two") == 0
    assert "goes on from " in capsys.readouterr().out
    name = "small_faster_rcnn_iter_12.caffemodel"
    assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert lines_of(tmp_path / "two")[-1] == lines_of(tmp_path / "out")[-1]


def test_what_was_trained_is_not_trained_over(train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--iters", 1) == 0
    capsys.readouterr()
    assert train("--iters", 1) == 2
    line = f"recaffe train: {tmp_path}/out: holds snapshots of a training: --resume goes on, or choose another --out\n"
    assert capsys.readouterr().err == line
    assert train("--iters", 1, "--resume", out="new") == 2
    assert "small_faster_rcnn_iter_*.solverstate: there is none to go on from\n" in capsys.readouterr().err


def test_weights_to_start_from(train: Train, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--iters", 1) == 0
    weights = tmp_path / "out" / "small_faster_rcnn_iter_1.caffemodel"
    assert train("--iters", 1, "--weights", weights, out="b") == 0
    assert f"{weights}: 12 layer(s) matched, 24 param(s) read\n" in capsys.readouterr().out
    assert train("--iters", 1, "--weights", home / "nothing.caffemodel", out="c") == 2


def test_faster_ways(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Net] = []
    monkeypatch.setattr(Net, "compile_chains", lambda net: compiled.append(net))
    assert train("--iters", 20, out="whole") == 0
    assert not compiled
    assert train("--iters", 20, "--bf16", "--compile", out="half") == 0
    assert len(compiled) == 1
    whole, half = (lines_of(tmp_path / name)[0]["loss"] for name in ("whole", "half"))
    assert half != whole
    assert half == pytest.approx(whole, rel=0.02)


def test_overwriting_as_caffe_does(
    train: Train, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    build = Net.__init__

    def built(self: Net, *args: Any, **keywords: Any) -> None:
        asked.append(keywords.get("faithful_inplace", False))
        build(self, *args, **keywords)

    monkeypatch.setattr(Net, "__init__", built)
    net = tmp_path / "train.prototxt"
    net.write_text((home / "train.prototxt").read_text().replace('type: "ReLU"', 'type: "BNLL"', 1))
    solver = (home / "solver.prototxt").read_text().replace(str(home / "train.prototxt"), str(net))
    (tmp_path / "solver.prototxt").write_text(solver)
    words = [str(tmp_path / "solver.prototxt"), str(home / "shapes"), "--cfg", str(home / "small.yml"), "--quiet"]
    for flags in ([], ["--faithful-inplace"]):
        assert main(["train", *words, "--iters", "1", "--out", str(tmp_path / f"out{len(flags)}"), *flags]) == 0
        told = capsys.readouterr().err
        assert ("(BNLL): computes in place" in told) == (not flags)
        assert ("(--faithful-inplace computes Caffe's)" in told) == (not flags)
        assert asked[0] == bool(flags)
        asked.clear()


def test_a_loss_that_explodes_leaves_a_snapshot(
    train: Train, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solver = make_solver("small", train_net=str(home / "train.prototxt"))
    solver.base_lr, solver.clip_gradients = 50, -1
    (tmp_path / "hot.prototxt").write_text(print_text(solver))
    hot = ["train", str(tmp_path / "hot.prototxt"), str(home / "shapes"), "--cfg", str(home / "small.yml"), "--quiet"]
    assert main([*hot, "--iters", "9", "--out", str(tmp_path / "hot")]) == 2
    out, err = capsys.readouterr()
    number = re.search(r"hot.prototxt: iteration (\d): the loss is nan; the first that .* layer 'conv", err)
    assert number
    kept = tmp_path / "hot" / f"small_faster_rcnn_nonfinite_iter_{number[1]}.caffemodel"
    assert f"iteration {number[1]}: {kept}\n" in out
    assert sum(bool(layer.blobs) for layer in read_weights(kept).layers) == 12
    assert train("--iters", 1, "--resume", out="hot") == 2  # from what stood before, and there is nothing


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "has no max_iter: say with --iters how long to train"),
        (("--iters", 1, "--image-set", "val"), "ImageSets/Main/val.txt: cannot be read: No such file or directory"),
        (("--iters", 1, "--device", "gpu"), "--device gpu: is none; there are cpu, cuda, cuda:1 and on"),
        (("--iters", 1, "--set", "TRAIN.HAS_RPN", "False"), "layer 'input-data' (Python): was fed data, rois, labels"),
    ],
)
def test_refusals(words: tuple[object, ...], line: str, train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(*words) == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1
