"""Blobs that lie in a file: their shapes at once, their values as tensors when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ....layers import Shape, times
from ...errors import PrototxtError
from .mapped_file import MappedFile
from .message import FIXED32, FIXED64, LENGTH, Field, Message

_LEGACY = {1: "num", 2: "channels", 3: "height", 4: "width"}
_DATA, _SHAPE, _DOUBLE_DATA, _RAW_TYPE, _RAW_DATA = 5, 7, 8, 10, 12
_RAW_TYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<f8"), 1: np.dtype("<f4"), 2: np.dtype("<f2")}
"""NVIDIA's and OpenCV's DOUBLE, FLOAT, FLOAT16; their integer types never hold weights."""
_PIECE = 1 << 18
"""Values converted at a time: what is read beside the tensor stays small."""


@dataclass(frozen=True)
class Run:
    """Values that lie in a row in the file, `stride` bytes from one to the next."""

    start: int
    count: int
    dtype: np.dtype[Any]
    stride: int

    @property
    def plain(self) -> bool:
        """Whether the bytes are those of a float32 tensor."""
        return self.dtype == np.float32 and self.stride == self.dtype.itemsize

    def pieces(self, source: MappedFile) -> Iterator[npt.NDArray[Any]]:
        """The values, some at a time; each piece lasts until the next."""
        buffer = np.empty(min(self.count, _PIECE) * self.stride, np.uint8)
        for first in range(0, self.count, _PIECE):
            count = min(self.count - first, _PIECE)
            # The last value ends the run: behind it there is no tag of a next one.
            used = buffer[: (count - 1) * self.stride + self.dtype.itemsize]
            source.read_into(used, self.start + first * self.stride)
            yield np.ndarray((count,), self.dtype, used, 0, (self.stride,))


@dataclass(frozen=True)
class SavedBlob:
    """One BlobProto of a file. `legacy` marks a shape given as num, channels, height, width."""

    where: str
    shape: Shape
    legacy: bool
    dtype: str
    runs: tuple[Run, ...] = field(repr=False)
    source: MappedFile = field(repr=False)

    def fits(self, shape: Shape) -> bool:
        """Whether Caffe takes it for a blob of that shape: equal; legacy dims fit with any number of leading ones."""
        if not self.legacy:
            return shape == self.shape
        return len(shape) <= 4 and (1,) * (4 - len(shape)) + shape == self.shape

    def tensor(self) -> Tensor:
        """The values as float32, in the saved shape: a view of the file where they lie aligned, else read once."""
        have = self._count()
        if have and len(self.runs) == 1:
            (run,) = self.runs
            if run.plain and run.start % run.stride == 0:
                view = torch.frombuffer(self.source.map, dtype=torch.float32, count=have, offset=run.start)
                return view.view(self.shape)
        return self._read(have).view(self.shape)

    def pieces(self) -> Iterator[npt.NDArray[np.float32]]:
        """The values as float32, some at a time in their order; each piece lasts until the next."""
        self._count()
        for run in self.runs:
            for piece in run.pieces(self.source):
                with np.errstate(over="ignore"):
                    values = np.ascontiguousarray(piece, np.float32)
                yield values

    def _count(self) -> int:
        """How many values there are: as many as the shape needs."""
        have, want = sum(run.count for run in self.runs), prod(self.shape)
        if have != want:
            raise PrototxtError(f"{self.where} holds {have} values, its shape {times(self.shape)} needs {want}")
        return have

    def _read(self, count: int) -> Tensor:
        # torch's memory: NumPy asks for huge pages, whose first touch made this three times slower or worse at times.
        tensor = torch.empty(count, dtype=torch.float32)
        values, at = tensor.numpy(), 0
        for run in self.runs:
            if run.plain:
                self.source.read_into(values[at : at + run.count], run.start)
                at += run.count
                continue
            for piece in run.pieces(self.source):
                # A double too large for a float becomes infinite, and is met again as such.
                with np.errstate(over="ignore"):
                    values[at : at + len(piece)] = piece
                at += len(piece)
        return tensor


def parse_blob(source: MappedFile, message: Message, where: str) -> SavedBlob:
    """Read a BlobProto: its shape, and where its values lie.

    Where a file gives both, Caffe takes legacy dims before a shape and doubles before floats.
    """
    legacy: dict[int, int] = {}
    dims: list[int] = []
    raw: list[Field] = []
    raw_type = 0
    runs: dict[int, list[Run]] = {_DATA: [], _DOUBLE_DATA: []}
    for item in message:
        if item.number in _LEGACY:
            legacy[item.number] = message.integer(item)
        elif item.number == _SHAPE:
            shape = message.message(item)
            dims += [dim for part in shape if part.number == 1 for dim in shape.integers(part)]
        elif item.number == _DATA:
            runs[_DATA].append(_run(message, item, FIXED32, np.dtype("<f4")))
        elif item.number == _DOUBLE_DATA:
            runs[_DOUBLE_DATA].append(_run(message, item, FIXED64, np.dtype("<f8")))
        elif item.number == _RAW_TYPE:
            raw_type = message.integer(item)
        elif item.number == _RAW_DATA:
            raw = [item]
    if legacy:
        dims = [legacy.get(number, 0) for number in _LEGACY]
    if any(dim < 0 for dim in dims):
        raise PrototxtError(f"{where} has the impossible shape {times(tuple(dims))}")
    values = runs[_DOUBLE_DATA] or runs[_DATA] or [_raw_run(message, item, raw_type, where) for item in raw]
    dtype = values[0].dtype.name if values else "float32"
    return SavedBlob(where, tuple(dims), bool(legacy), dtype, tuple(run for run in values if run.count), source)


def _run(message: Message, item: Field, kind: int, dtype: np.dtype[Any]) -> Run:
    """Where the values of a packed or an unpacked field lie."""
    message.expect(item, LENGTH, kind)
    if item.kind == kind:
        return Run(item.start, item.repeats, dtype, dtype.itemsize + 1)
    return _packed(message, item, dtype)


def _packed(message: Message, item: Field, dtype: np.dtype[Any]) -> Run:
    count, rest = divmod(item.end - item.start, dtype.itemsize)
    if rest:
        length = item.end - item.start
        raise message.error(item.start, f"{length} bytes are no whole number of {dtype.name} values")
    return Run(item.start, count, dtype, dtype.itemsize)


def _raw_run(message: Message, item: Field, raw_type: int, where: str) -> Run:
    message.expect(item, LENGTH)
    if raw_type not in _RAW_TYPES:
        raise PrototxtError(f"{where} has values of raw_data_type {raw_type}; only DOUBLE, FLOAT and FLOAT16 are read")
    return _packed(message, item, _RAW_TYPES[raw_type])
