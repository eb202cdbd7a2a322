"""Snapshots: Caffe's own written again, and a crash at any moment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from recaffe.golden.fixture import Fixture
from recaffe.prototxt.caffe_pb2 import SolverParameter
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.snapshot import dialect_of, name_after
from recaffe.prototxt.solving.solver import Solver
from recaffe.prototxt.text.read import read_net, read_solver

SOLVERS = Path(__file__).parents[3] / "golden" / "fixtures" / "solvers"


def solver(name: str, folder: Path, more: str = "") -> Solver:
    """A fixture's solver, whose snapshots go to a folder."""
    fixture = Fixture.load(SOLVERS / f"{name}.npz")
    param = read_solver(f"{fixture.trace['solver']}\n{more}")
    param.ClearField("train_net")
    param.train_net_param.CopyFrom(read_net(fixture.prototxt).net)
    batch = {key.split("/")[2]: value for key, value in fixture.trace.items() if key.startswith("bottom/0/")}
    return Solver(param, feed=lambda number: batch, folder=folder)


@pytest.mark.parametrize("name", ["sgd_step", "adam", "adadelta_step"])
def test_caffes_snapshot_is_written_again_byte_for_byte(name: str, tmp_path: Path) -> None:
    mine = solver(name, tmp_path)
    state = SOLVERS / f"{name}_iter_12.solverstate"
    missing = SOLVERS / f"{name}_iter_12.resume.npz"
    assert mine.restore(state) == [f"{missing} is missing: random numbers and data begin anew, as in Caffe"]
    done = mine.snapshot()
    assert (done.iter, mine.iter) == (12, 12)
    assert done.state.read_bytes() == state.read_bytes()
    assert done.weights.read_bytes() == state.with_suffix(".caffemodel").read_bytes()


def test_caffes_snapshot_in_hdf5_is_written_again(tmp_path: Path) -> None:
    mine = solver("sgd_step", tmp_path, "snapshot_format: HDF5")
    state = SOLVERS / "sgd_step_iter_12.solverstate.h5"
    mine.restore(state)
    done = mine.snapshot()
    assert done.places.name == "sgd_step_iter_12.resume.npz"
    for written, golden in ((done.state, state), (done.weights, SOLVERS / "sgd_step_iter_12.caffemodel.h5")):
        assert written.name == golden.name
        with h5py.File(golden) as want, h5py.File(written) as have:
            names: list[str] = []
            want.visit(names.append)
            for key in names:
                assert not isinstance(want[key], h5py.Dataset) or np.array_equal(want[key][()], have[key][()])


LAYERS = """
  layer { name: "data" type: "DummyData" top: "data" top: "rois" dummy_data_param {
    shape { dim: 1 dim: 2 dim: 9 dim: 8 } shape { dim: 3 dim: 5 } } }
  layer { name: "pool" type: "ROIPooling" bottom: "data" bottom: "rois" top: "pool" roi_pooling_param {
    pooled_h: 2 pooled_w: 3 } }
  layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 4 } }
  %s
  layer { name: "loss" type: "Reduction" bottom: "%s" top: "loss" loss_weight: 1 }
"""
BATCH_NORM = 'layer { name: "bn" type: "BatchNorm" bottom: "fc" top: "bn" }'
SWISH = 'layer { name: "swish" type: "Swish" bottom: "fc" top: "swish" swish_param { beta: 2 } }'


def test_the_first_caffe_that_knows_the_net_is_written_for() -> None:
    found = [
        dialect_of(Net.from_prototxt(LAYERS % more, "TRAIN")).fork.name for more in (("", "fc"), (BATCH_NORM, "bn"))
    ]
    assert found == ["fast-rcnn", "microsoft"]
    assert dialect_of(solver("adam", Path()).net).fork.name == "bvlc"


def test_a_net_of_no_caffe_is_refused_before_training(tmp_path: Path) -> None:
    param = read_solver(
        f'base_lr: 1 lr_policy: "fixed" max_iter: 2 snapshot_prefix: "a" net_param {{ {LAYERS % (SWISH, "swish")} }}\n'
    )
    mine = Solver(param, folder=tmp_path)
    with pytest.raises(SolverError) as error:
        mine.solve()
    assert str(error.value) == (
        "the solver: no Caffe of bvlc, fast-rcnn, microsoft, caffe-rfcn knows the net (say snapshot_format: HDF5): "
        "<net_param>: layer 'pool' (ROIPooling): LayerParameter.roi_pooling_param is unknown to bvlc's Caffe "
        "(dialect=fast-rcnn or microsoft or caffe-rfcn can hold it)"
    )
    param.snapshot_format = SolverParameter.HDF5
    assert mine.solve()


class CrashError(Exception):
    """The machine goes off."""


@pytest.mark.parametrize("again", [False, True], ids=["anew", "over an older one"])
@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_crash_leaves_no_half_snapshot(
    writes: int, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = solver("adam", tmp_path)
    mine.step(2)
    mine.snapshot()
    if again:
        mine.standing.iter = 2
    mine.step(0 if again else 1)
    left, replace = [writes], os.replace

    def failing(source: Path, target: Path) -> None:
        if not left[0]:
            raise CrashError
        left[0] -= 1
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(CrashError):
        mine.snapshot()
    monkeypatch.undo()
    states = sorted(path.name for path in tmp_path.glob("*.solverstate"))
    assert states == ([] if again else ["adam_iter_2.solverstate"])
    assert not list(tmp_path.glob(".part*"))
    for state in states:
        assert solver("adam", tmp_path).restore(tmp_path / state) == []


def test_weights_are_looked_for_beside_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = solver("adam", tmp_path)
    for name in ("adam_iter_12.solverstate", "adam_iter_12.caffemodel"):
        shutil.copy(SOLVERS / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    mine.restore("adam_iter_12.solverstate")
    (tmp_path / "moved").mkdir()
    shutil.move("adam_iter_12.solverstate", "moved")
    mine.restore(tmp_path / "moved" / "adam_iter_12.solverstate")
    (tmp_path / "adam_iter_12.caffemodel").unlink()
    with pytest.raises(SolverError) as error:
        mine.restore("moved/adam_iter_12.solverstate")
    expected = "moved/adam_iter_12.solverstate: its weights adam_iter_12.caffemodel are neither beside it nor there"
    assert str(error.value) == expected
    mine.restore("moved/adam_iter_12.solverstate", SOLVERS / "adam_iter_12.caffemodel")


def test_the_state_of_another_solver_or_net_is_refused(tmp_path: Path) -> None:
    mine = solver("sgd_step", tmp_path)
    with pytest.raises(SolverError) as error:
        mine.restore(SOLVERS / "adam_iter_12.solverstate")
    assert str(error.value) == (
        f"{SOLVERS}/adam_iter_12.solverstate: has 8 history blob(s), SGD needs 4 for 4 param(s): "
        "the state of another net or type of solver"
    )
    with pytest.raises(SolverError) as error:
        mine.restore(SOLVERS / "nesterov_step_iter_12.solverstate")
    assert str(error.value) == (
        f"{SOLVERS}/nesterov_step_iter_12.solverstate: history 0 is 4×3×3×3, param 0 of layer 'conv' is 5×3×3×3: "
        "the state of another net"
    )
    assert all((history == 0).all() for history in mine.updates.histories)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        (None, "has no snapshot_prefix for its snapshots (snapshot: 0 and snapshot_after_train: false: none)"),
        ("no/where", "has the snapshot_prefix 'no/where', but {folder}/no is no folder to write into"),
    ],
)
def test_a_prefix_that_cannot_be_written_is_refused_before_training(
    prefix: str | None, message: str, tmp_path: Path
) -> None:
    mine = solver("adam", tmp_path)
    mine.param.ClearField("snapshot_prefix")
    if prefix:
        mine.param.snapshot_prefix = prefix
    with pytest.raises(PrototxtError) as error:
        mine.solve()
    assert str(error.value) == f"the solver: {message.format(folder=tmp_path)}"
    assert mine.iter == 0


def test_snapshots_are_named_after_the_solver(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for given, expected in ((None, "models/vgg_solver"), ("out", "out/vgg_solver"), ("out/x", "out/x")):
        param = SolverParameter(snapshot_prefix=given)
        name_after(param, Path("models/vgg_solver.prototxt"), tmp_path)
        assert param.snapshot_prefix == expected
