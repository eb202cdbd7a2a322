"""A solver's state: .solverstate and .solverstate.h5."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field

import h5py

from ..errors import PrototxtError
from ..files import BAD_HDF5, FIXED32, Blob, MappedFile, hdf5_blob, hdf5_item, open_hdf5, parse_blob, unbroken
from .policies import LARGEST

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP, _MINIMUM_LOSS, _ITER_LAST_EVENT = range(1, 7)


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
    return _read_hdf5(source.path) if source.map[:4] == b"\x89HDF" else _read_binary(source)


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
