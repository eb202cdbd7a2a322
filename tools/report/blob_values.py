"""What can be said of a blob's values in one pass over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...prototxt.files import Blob

Floats = npt.NDArray[np.float32]
_PIECE = 1 << 18
"""Values looked at together: they stay in the processor's cache."""


@dataclass(frozen=True)
class Statistics:
    """Of the values as float32: extremes and mean of the finite ones, and how many are not finite."""

    min: float | None
    max: float | None
    mean: float | None
    nan: int
    infinite: int


class _Part(NamedTuple):
    finite: int
    total: float
    low: float
    high: float
    nan: int


def statistics(blob: Blob) -> Statistics | None:
    """Look at a blob's values, a few at a time; None for a text, which has none."""
    if blob.dtype.startswith(("str", "bytes")):
        return None
    size, count, total, low, high, nan = 0, 0, 0.0, np.inf, -np.inf, 0
    for piece in _pieces(blob):
        part = _part(piece)
        size, count, total, nan = size + piece.size, count + part.finite, total + part.total, nan + part.nan
        low, high = min(low, part.low), max(high, part.high)
    infinite = size - count - nan
    return Statistics(low, high, total / count, nan, infinite) if count else Statistics(None, None, None, nan, infinite)


def _pieces(blob: Blob) -> Iterator[Floats]:
    for piece in blob.pieces():
        yield from (piece[start : start + _PIECE] for start in range(0, piece.size, _PIECE))


def _part(piece: Floats) -> _Part:
    with np.errstate(invalid="ignore"):
        total = float(piece.sum(dtype=np.float64))
    if np.isfinite(total):  # so is each value
        return _Part(piece.size, total, float(piece.min()), float(piece.max()), 0)
    finite = piece[np.isfinite(piece)]
    low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
    return _Part(finite.size, float(finite.sum(dtype=np.float64)), low, high, int(np.isnan(piece).sum()))
