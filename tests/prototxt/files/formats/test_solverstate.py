"""Solver states as Caffe wrote them in both of its formats, and those written beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from recaffe.prototxt import caffe_pb2
from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.formats.solverstate import LARGEST, SolverState, read_solverstate, write_solverstate
from recaffe.prototxt.files.weights import LazyBlob

SOLVERS = Path(__file__).parents[4] / "golden" / "fixtures" / "solvers"
NAMES = sorted(path.name for path in SOLVERS.glob("*.solverstate"))
FORMATS = Path(__file__).parents[4] / "golden" / "fixtures" / "formats"


def test_both_formats_hold_the_same() -> None:
    states = [read_solverstate(FORMATS / f"adam_iter_12.solverstate{suffix}") for suffix in ("", ".h5")]
    assert [state.iter for state in states] == [12, 12]
    assert [state.current_step for state in states] == [0, 0]
    assert [state.learned_net for state in states] == ["adam_iter_12.caffemodel", "adam_iter_12.caffemodel.h5"]
    shapes = [(5, 3, 3, 3), (5,), (5, 100), (5,)] * 2  # Adam's first moments, then its second
    binary, hdf5 = ([blob.tensor().numpy() for blob in state.history] for state in states)
    assert [value.shape for value in binary] == shapes
    assert all(a.tobytes() == b.tobytes() for a, b in zip(binary, hdf5, strict=True))
    assert all((second >= 0).all() and second.any() for second in binary[4:])


def test_fields_as_written(tmp_path: Path) -> None:
    blob = BlobProto(shape=BlobShape(dim=[2, 3]), data=range(6))
    state = caffe_pb2.SolverState(iter=70000, learned_net="x.caffemodel", current_step=2, history=[blob])
    (tmp_path / "a.solverstate").write_bytes(state.SerializeToString() + b"\x2d\0\0\0\0\x30\x05")  # SSD's 5 and 6
    found = read_solverstate(tmp_path / "a.solverstate")
    assert (found.iter, found.learned_net, found.current_step) == (70000, "x.caffemodel", 2)
    assert found.history[0].tensor().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match=r"lenet\.caffemodel: byte 2: field 1 holds a run of bytes, not a number"):
        read_solverstate(FORMATS / "lenet.caffemodel")
    (tmp_path / "a.solverstate").write_bytes(b"")
    with pytest.raises(PrototxtError, match=r"a\.solverstate: tells no iteration: not a \.solverstate$"):
        read_solverstate(tmp_path / "a.solverstate")
    with pytest.raises(PrototxtError, match=r"lenet\.caffemodel\.h5: is HDF5 without a group 'history': not one of"):
        read_solverstate(FORMATS / "lenet.caffemodel.h5")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("iter", np.array([1.5]), "`iter` should be one integer"),
        ("iter", np.array([1, 2]), "`iter` should be one integer"),
        ("current_step", None, "is HDF5 without a dataset 'current_step'"),
        ("learned_net", np.int32(3), "`learned_net` should be one text"),
        ("history/2", np.zeros(3, np.float32), "its history should be numbered 0 to 1: 0, 2"),
        ("history/x", np.zeros(3, np.float32), "its history should be numbered 0 to 1: 0, x"),
    ],
)
def test_a_damaged_state(name: str, value: np.ndarray | None, message: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["iter"], file["current_step"] = np.array([4], np.int32), np.array([1], np.int32)
        file["learned_net"], file["history/0"] = b"x.caffemodel.h5", np.zeros((2, 3), np.float32)
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value
    with pytest.raises(PrototxtError) as error:
        read_solverstate(tmp_path / "a.h5")
    assert message in str(error.value)


@pytest.mark.parametrize("suffix", ["", ".h5"])
def test_a_file_cut_anywhere_is_refused(suffix: str, tmp_path: Path) -> None:
    data = (FORMATS / f"adam_iter_12.solverstate{suffix}").read_bytes()
    path = tmp_path / "a.solverstate"
    for size in [*range(3, 40, 5), *range(997, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(PrototxtError, match=r"^[^\n]+$"):
            read_solverstate(path)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_caffes_own(name: str, tmp_path: Path) -> None:
    write_solverstate(tmp_path / "a.solverstate", read_solverstate(SOLVERS / name))
    assert (tmp_path / "a.solverstate").read_bytes() == (SOLVERS / name).read_bytes()


def test_there_are_states_with_one_and_two_histories() -> None:
    counts = {name: len(read_solverstate(SOLVERS / name).history) for name in NAMES}
    assert counts["adam_iter_12.solverstate"] == 2 * counts["sgd_step_iter_12.solverstate"] == 8


def test_data_sets_are_caffes_own(tmp_path: Path) -> None:
    golden = SOLVERS / "sgd_step_iter_12.solverstate.h5"
    for name in ("a.solverstate.h5", "b.solverstate.h5"):
        write_solverstate(tmp_path / name, read_solverstate(golden))
    assert (tmp_path / "a.solverstate.h5").read_bytes() == (tmp_path / "b.solverstate.h5").read_bytes()
    with h5py.File(golden) as want, h5py.File(tmp_path / "a.solverstate.h5") as have:
        names: list[str] = []
        want.visit(names.append)
        found: list[str] = []
        have.visit(found.append)
        assert found == names
        for name in names:
            if isinstance(want[name], h5py.Dataset):
                assert (have[name].shape, have[name].id.get_type()) == (want[name].shape, want[name].id.get_type())
                assert np.array_equal(have[name][()], want[name][()])


@pytest.mark.parametrize("suffix", ["", ".h5"])
def test_what_plateau_depends_on_comes_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.solverstate{suffix}"
    values = [torch.arange(6.0).view(2, 3), torch.tensor(4.0)]
    history = tuple(LazyBlob("here", tuple(value.shape), "float32", value.clone) for value in values)
    state = SolverState(str(path), 70000, "x", 2, 0.625, 65000, history)
    write_solverstate(path, state, plateau=True)
    found = read_solverstate(path)
    assert replace(found, history=()) == replace(state, history=())
    assert [blob.tensor().tolist() for blob in found.history] == [[[0, 1, 2], [3, 4, 5]], 4]
    path.unlink()
    write_solverstate(path, state)
    assert read_solverstate(path).minimum_loss == LARGEST
