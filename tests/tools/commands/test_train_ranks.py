"""`recaffe train` under torchrun: one process's numbers, restarts from the last snapshot, and stopping all at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.text.read import print_text
from recaffe.prototxt.zoo.catalog import make_net
from recaffe.prototxt.zoo.rpn import DetectionTask
from recaffe.prototxt.zoo.solvers import make_solver
from recaffe.tools.datasets.drawn.shapes_set import write_shapes
from recaffe.tools.main import main

# All anchors and RoIs are taken, so that which are drawn is no matter of the rank that draws.
CONFIG = """
TRAIN: {HAS_RPN: True, IMS_PER_BATCH: 1, SCALES: [120], MAX_SIZE: 160, BBOX_NORMALIZE_TARGETS_PRECOMPUTED: True,
  BG_THRESH_LO: 0.0, RPN_MIN_SIZE: 8, RPN_BATCHSIZE: 100000, BATCH_SIZE: 100000, SNAPSHOT_ITERS: 4}
"""
LAST = "small_faster_rcnn_iter_12.caffemodel"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, a small net, and its solver with iter_size 1 and 2."""
    folder = tmp_path_factory.mktemp("ranks")
    write_shapes(folder / "shapes", 30, 3)
    task = DetectionTask(classes=6, scales=(1, 2, 4))
    (folder / "train.prototxt").write_text(print_text(make_net("small", "end2end", "TRAIN", task)))
    solver = make_solver("small", train_net=str(folder / "train.prototxt"))
    solver.display = 1
    solver.ClearField(
        "clip_gradients"
    )  # it is held against the mean over ranks, but the sum over iter_size: Caffe's, too
    for solver.iter_size in (1, 2):
        (folder / f"solver{solver.iter_size}.prototxt").write_text(print_text(solver))
    (folder / "small.yml").write_text(CONFIG)
    return folder


def words(home: Path, out: Path, size: int) -> list[str]:
    solver, shapes, config = (str(home / name) for name in (f"solver{size}.prototxt", "shapes", "small.yml"))
    return ["train", solver, shapes, "--cfg", config, "--quiet", "--iters", "12", "--out", str(out)]


def torchrun(home: Path, out: Path, *more: str, restarts: int = 0) -> subprocess.Popen[str]:
    """Two ranks of the command."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", str(restarts)]
    command = [sys.executable, *launch, "-m", "recaffe", *words(home, out, 1), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def unbroken(home: Path) -> Path:
    """What two ranks left that nothing befell."""
    process = torchrun(home, home / "two")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert out.count("pictures, ") == 1  # rank 0 alone speaks
    return home / "two"


def test_two_ranks_are_one_process_of_twice_the_iter_size(home: Path, unbroken: Path) -> None:
    assert main(words(home, home / "one", 2)) == 0
    one, two = (
        [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
        for out in (home / "one", unbroken)
    )
    assert [line["iter"] for line in two] == [*range(13)]
    # The last line is one forward more: one minibatch there, two here.
    for want, have in zip(one[:12], two[:12], strict=True):
        assert have["loss"] == pytest.approx(want["loss"], rel=1e-5)
    weights, ours = (read_weights(out / LAST) for out in (home / "one", unbroken))
    for layer, mine in zip(weights.layers, ours.layers, strict=True):
        for index, blob in layer.blobs.items():
            value = blob.tensor().numpy()
            limit = 1e-5 * float(np.abs(value).max())
            np.testing.assert_allclose(mine.blobs[index].tensor().numpy(), value, rtol=0, atol=limit)


def test_killed_or_stopped_it_goes_on_to_the_same_bits(home: Path, unbroken: Path) -> None:
    out = home / "broken"
    process = torchrun(home, out, "--resume", "auto", restarts=1)
    wait_for(process, out / "small_faster_rcnn_iter_4.solverstate")
    os.kill(rank_of(process.pid), signal.SIGKILL)
    wait_for(process, out / "small_faster_rcnn_iter_8.solverstate")
    process.send_signal(signal.SIGINT)
    told, err = process.communicate(timeout=200)
    assert process.returncode != 0
    assert "_iter_4.solverstate\n" in told
    assert [line for line in err.splitlines() if line.startswith("recaffe train: stopped after iteration ")]
    again = torchrun(home, out, "--resume", "auto")
    assert "goes on from " in again.communicate(timeout=200)[0]
    assert again.returncode == 0
    assert (out / LAST).read_bytes() == (unbroken / LAST).read_bytes()
    assert (out / "train.jsonl").read_bytes() == (unbroken / "train.jsonl").read_bytes()


def wait_for(process: subprocess.Popen[str], path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end or process.poll() is not None:
            process.terminate()
            pytest.fail(f"{path} does not come: {process.communicate(timeout=60)[1]}")
        time.sleep(0.01)


def rank_of(parent: int) -> int:
    """The last of a launcher's processes that runs the command."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        fields = status.read_text().rpartition(")")[2].split()
        if int(fields[1]) == parent and b"-m\0recaffe\0" in (status.parent / "cmdline").read_bytes():
            found.append(int(status.parent.name))
    return max(found)
