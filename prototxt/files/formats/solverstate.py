"""A solver's state, read and written as Caffe does: .solverstate and .solverstate.h5."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from ... import caffe_pb2
from ...errors import PrototxtError
from ..format import Format, Listing, no_weights
from ..layer_params import ParamValues
from ..weights import Blob, unbroken
from ..wire import FIXED32, LENGTH, VARINT, Chunk, MappedFile, blob_chunks, parse_blob, write_chunks
from .hdf5_file import BAD_HDF5, hdf5_blob, hdf5_item, is_hdf5, open_hdf5

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP, _MINIMUM_LOSS, _ITER_LAST_EVENT = range(1, 7)
_PLATEAU = {"minimum_loss": np.float32, "iter_last_event": np.int32}
"""What SSD's Caffe adds; BVLC's steps over it."""
_HDF5 = ".solverstate.h5"
LARGEST = float(np.finfo(np.float32).max)
"""The minimum of no losses."""


@dataclass(frozen=True)
class SolverState:
    """Where a solver stood. Two histories a param (AdaDelta's, Adam's): all first ones, then all second."""

    path: str
    iter: int = 0
    learned_net: str = ""
    """The weights that belong to it, as the solver named the file."""
    current_step: int = 0
    minimum_loss: float = LARGEST
    """As SSD's Caffe adds for the plateau policy, with `iter_last_event`."""
    iter_last_event: int = 0
    history: tuple[Blob, ...] = field(default=(), repr=False)


def read_solverstate(path: str | os.PathLike[str] | MappedFile) -> SolverState:
    """Read either kind of file."""
    source = path if isinstance(path, MappedFile) else MappedFile(path)
    return _read_hdf5(source.path) if is_hdf5(source) else _read_binary(source)


def holds_solverstate(path: str) -> bool:
    """Whether an HDF5 file is a solver's state rather than weights."""
    file = open_hdf5(path)
    with unbroken(path, BAD_HDF5):
        return "history" in file


def _read_binary(source: MappedFile) -> SolverState:
    message = source.message
    numbers = {_ITER: 0, _CURRENT_STEP: 0, _ITER_LAST_EVENT: 0}
    learned_net, minimum_loss, seen = "", LARGEST, set()
    history: list[Blob] = []
    for item in message:
        seen.add(item.number)
        if item.number in numbers:
            numbers[item.number] = message.integer(item)
        elif item.number == _LEARNED_NET:
            learned_net = message.text(item)
        elif item.number == _MINIMUM_LOSS:
            message.expect(item, FIXED32)
            (minimum_loss,) = struct.unpack_from("<f", source.map, item.start)
        elif item.number == _HISTORY:
            where = f"{source.path}: history {len(history)}"
            history.append(parse_blob(source, message.message(item), where))
    if _ITER not in seen:
        raise PrototxtError(f"{source.path}: tells no iteration: not a .solverstate")
    iteration, step, last = numbers.values()
    return SolverState(source.path, iteration, learned_net, step, minimum_loss, last, tuple(history))


def _read_hdf5(path: str) -> SolverState:
    file = open_hdf5(path)
    with unbroken(path, BAD_HDF5):
        group = hdf5_item(path, file, "history", h5py.Group)
        names = sorted(group, key=lambda name: (len(name), name))
        if names != [str(i) for i in range(len(names))]:
            raise PrototxtError(f"{path}: its history should be numbered 0 to {len(names) - 1}: {', '.join(names)}")
        items = (hdf5_item(path, group, name, h5py.Dataset) for name in names)
        history = tuple(hdf5_blob(f"{path}: history {i}", item) for i, item in enumerate(items))
        learned_net = _text(path, file) if "learned_net" in file else ""
        iteration, step = (int(_number(path, file, name)) for name in ("iter", "current_step"))
        last = int(_number(path, file, "iter_last_event")) if "iter_last_event" in file else 0
        minimum_loss = _number(path, file, "minimum_loss", "f") if "minimum_loss" in file else LARGEST
    return SolverState(path, iteration, learned_net, step, minimum_loss, last, history)


def _number(path: str, file: h5py.File, name: str, kinds: str = "iu") -> float:
    data = hdf5_item(path, file, name, h5py.Dataset)
    if data.size != 1 or data.dtype.kind not in kinds:
        raise PrototxtError(f"{path}: `{name}` should be one {'number' if 'f' in kinds else 'integer'}")
    return float(data[()].item())


def _text(path: str, file: h5py.File) -> str:
    value = hdf5_item(path, file, "learned_net", h5py.Dataset)[()]
    if not isinstance(value, bytes):
        raise PrototxtError(f"{path}: `learned_net` should be one text")
    return value.decode(errors="backslashreplace")


def write_solverstate(path: Path, state: SolverState, plateau: bool = False) -> None:
    """Write a state as the suffix says; what the plateau policy depends on only where it is asked for."""
    if path.name.endswith(_HDF5):
        _write_hdf5(path, state, _PLATEAU if plateau else {})
        return
    with open(path, "xb") as file:
        _write_binary(file, state, _PLATEAU if plateau else {})


def _write_binary(file: BinaryIO, state: SolverState, more: Iterable[str]) -> None:
    """Write the bytes that Caffe would."""
    head = caffe_pb2.SolverState(iter=state.iter, learned_net=state.learned_net)
    rest = caffe_pb2.SolverState(current_step=state.current_step)
    for name in more:
        setattr(rest, name, getattr(state, name))
    chunks: list[Chunk] = [head.SerializeToString()]
    for blob in state.history:
        chunks += blob_chunks(_HISTORY, ParamValues(blob.shape, blob))
    write_chunks(file, [*chunks, rest.SerializeToString()], SOLVERSTATE.suffix)


def _write_hdf5(path: Path, state: SolverState, more: Mapping[str, type[np.generic]]) -> None:
    """Write data sets of the types that Caffe gives them."""
    numbers: dict[str, type[np.generic]] = {"iter": np.int32, "current_step": np.int32, **more}
    with h5py.File(path, "w") as file:
        for name, kind in numbers.items():
            file.create_dataset(name, data=np.array([getattr(state, name)], kind), track_times=False)
        _write_text(file, "learned_net", state.learned_net.encode())
        group = file.create_group("history")
        for index, blob in enumerate(state.history):
            group.create_dataset(str(index), data=ParamValues(blob.shape, blob).array(), track_times=False)


def _write_text(file: h5py.File, name: str, text: bytes) -> None:
    """A text that ends in a zero, as C has it; h5py itself would leave the zero out."""
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(len(text) + 1)
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)
    data = h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR), settings)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(text, f"S{len(text) + 1}"))


def list_solverstate(source: MappedFile) -> Listing:
    """List either kind of file."""
    state = read_solverstate(source)
    facts = {"iter": state.iter, "learned_net": state.learned_net, "current_step": state.current_step}
    history = {f"history/{i}": blob for i, blob in enumerate(state.history)}
    return Listing.of_arrays(f"a solver's state ({_HDF5 if is_hdf5(source) else SOLVERSTATE.suffix})", history, facts)


def _recognises(source: MappedFile) -> bool:
    """An iteration, and weights' name or a history."""
    named = {(_LEARNED_NET, LENGTH), (_HISTORY, LENGTH)}
    return (_ITER, VARINT) in source.fields and not named.isdisjoint(source.fields)


SOLVERSTATE = Format(
    "solverstate",
    (".solverstate", _HDF5),
    _recognises,
    no_weights("a solver's state"),
    list_solverstate,
    signed=False,
)
