"""Solver states as Caffe wrote them, in both of its formats."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape, SolverState
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.solving.solverstate import read_solverstate

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"


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
    state = SolverState(iter=70000, learned_net="x.caffemodel", current_step=2, history=[blob])
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
