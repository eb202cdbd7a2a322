"""Solver states written beside those that Caffe wrote."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from recaffe.prototxt.solving.policies import RateState
from recaffe.prototxt.solving.solverstate import SolverState, read_solverstate
from recaffe.prototxt.solving.write_solverstate import write_solverstate, write_solverstate_hdf5

SOLVERS = Path(__file__).parents[3] / "golden" / "fixtures" / "solvers"
NAMES = sorted(path.name for path in SOLVERS.glob("*.solverstate"))


def parts(state: SolverState) -> tuple[str, RateState, list[torch.Tensor]]:
    standing = RateState(state.iter, state.current_step, state.minimum_loss, state.iter_last_event)
    return state.learned_net, standing, [blob.tensor() for blob in state.history]


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_caffes_own(name: str) -> None:
    file = io.BytesIO()
    write_solverstate(file, *parts(read_solverstate(SOLVERS / name)))
    assert file.getvalue() == (SOLVERS / name).read_bytes()


def test_there_are_states_with_one_and_two_histories() -> None:
    counts = {name: len(read_solverstate(SOLVERS / name).history) for name in NAMES}
    assert counts["adam_iter_12.solverstate"] == 2 * counts["sgd_step_iter_12.solverstate"] == 8


def test_data_sets_are_caffes_own(tmp_path: Path) -> None:
    golden = SOLVERS / "sgd_step_iter_12.solverstate.h5"
    for name in ("a.h5", "b.h5"):
        write_solverstate_hdf5(tmp_path / name, *parts(read_solverstate(golden)))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with h5py.File(golden) as want, h5py.File(tmp_path / "a.h5") as have:
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
def test_what_plateau_stands_on_comes_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.solverstate{suffix}"
    standing = RateState(70000, 2, 0.625, 65000)
    history = [torch.arange(6.0).view(2, 3), torch.tensor(4.0)]
    if suffix:
        write_solverstate_hdf5(path, "x", standing, history, plateau=True)
    else:
        with open(path, "wb") as file:
            write_solverstate(file, "x", standing, history, plateau=True)
    name, found, values = parts(read_solverstate(path))
    assert (name, found) == ("x", standing)
    assert [value.tolist() for value in values] == [[[0, 1, 2], [3, 4, 5]], 4]
