"""Writing a solver's state as Caffe does: .solverstate and .solverstate.h5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np
from torch import Tensor

from ..caffe_pb2 import SolverState
from ..export import Chunk, OutParam, blob_chunks, write_chunks
from .policies import RateState

_HISTORY = 3
_PLATEAU = ("minimum_loss", "iter_last_event")
"""What SSD's Caffe adds; BVLC's steps over it."""


def write_solverstate(
    file: BinaryIO, learned_net: str, standing: RateState, history: Sequence[Tensor], plateau: bool = False
) -> None:
    """Write the bytes that Caffe would: what the plateau policy stands on only where it is asked for."""
    head = SolverState(iter=standing.iter, learned_net=learned_net)
    rest = SolverState(current_step=standing.current_step)
    for name in _PLATEAU if plateau else ():
        setattr(rest, name, getattr(standing, name))
    chunks: list[Chunk] = [head.SerializeToString()]
    for blob in history:
        chunks += blob_chunks(_HISTORY, OutParam(tuple(blob.shape), blob))
    write_chunks(file, [*chunks, rest.SerializeToString()], ".solverstate")


def write_solverstate_hdf5(
    path: Path, learned_net: str, standing: RateState, history: Sequence[Tensor], plateau: bool = False
) -> None:
    """Write the same as data sets of the types that Caffe gives them."""
    numbers: dict[str, np.generic] = {
        "iter": np.int32(standing.iter),
        "current_step": np.int32(standing.current_step),
    }
    if plateau:
        numbers["minimum_loss"] = np.float32(standing.minimum_loss)
        numbers["iter_last_event"] = np.int32(standing.iter_last_event)
    with h5py.File(path, "w") as file:
        for name, number in numbers.items():
            file.create_dataset(name, data=np.array([number]), track_times=False)
        _write_text(file, "learned_net", learned_net.encode())
        group = file.create_group("history")
        for index, blob in enumerate(history):
            group.create_dataset(str(index), data=OutParam(tuple(blob.shape), blob).array(), track_times=False)


def _write_text(file: h5py.File, name: str, text: bytes) -> None:
    """A text that ends in a zero, as C has it; h5py itself would leave the zero out."""
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(len(text) + 1)
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)
    data = h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR), settings)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(text, f"S{len(text) + 1}"))
