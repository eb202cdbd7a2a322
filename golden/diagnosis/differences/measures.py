"""How far two blobs of one shape lie apart, in the measures that people ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...compare import largest_magnitude

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Measures:
    """Over the values that are finite on both sides; what cannot be said is None."""

    mean: float
    """The mean absolute difference."""
    mean_relative: float | None
    """The same in parts of the wanted blob's largest magnitude."""
    ulps: int | None
    """The largest difference in units in the last place: how many floats lie between the two values."""
    cosine: float | None
    """Of the angle between the blobs taken as vectors: 1 where they differ by a factor only."""
    worst: tuple[int, ...] | None
    """Where the largest difference lies."""


def measure(want: Array, have: Array) -> Measures:
    """Measure ours against the wanted blob."""
    real = np.isfinite(want) & np.isfinite(have)
    a, b = want[real].astype(np.float64), have[real].astype(np.float64)
    if not a.size:
        return Measures(0.0, None, None, None, None)
    differences = np.abs(b - a)
    mean, magnitude = float(differences.mean()), largest_magnitude(want)
    place = np.flatnonzero(real)[int(differences.argmax())]
    worst = tuple(int(i) for i in np.unravel_index(place, want.shape))
    ulps = _ulps(want[real], have[real]) if want.dtype == have.dtype == np.float32 else None
    return Measures(mean, mean / magnitude if magnitude else None, ulps, _cosine(a, b), worst)


def _ulps(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> int:
    return int(np.abs(_ordinal(a) - _ordinal(b)).max())


def _ordinal(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Floats as integers of the same order, neighbours one apart; both zeros are 0."""
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits + (1 << 31)), bits)


def _cosine(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float | None:
    lengths = float(np.sqrt(a @ a) * np.sqrt(b @ b))
    return float(a @ b) / lengths if 0 < lengths < float("inf") else None
