"""Two blobs side by side: the wanted one and ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..layers import times

Array = npt.NDArray[Any]

_NOTHING = float(np.finfo(np.float32).max)
"""Caffe marks "nothing here" with this, negative: it says nothing of how large a blob's values are."""


@dataclass(frozen=True)
class BlobResult:
    """What the comparison of one blob gave; `str()` of it is one line."""

    key: str
    """The blob as a fixture names it: `top/rois`, `param_diff/conv1/0`."""
    ok: bool
    problem: str = ""
    """missing, shape, dtype or values; the first that holds."""
    detail: str = ""
    size: int = 0
    different: int = 0
    """How many values differ by more than allowed."""
    difference: float = 0.0
    """The largest absolute difference."""
    relative: float = 0.0
    """The same in parts of the wanted blob's largest magnitude."""
    allowed: float = 0.0
    first: tuple[int, ...] | None = None
    """Where the first value lies that differs by more than allowed."""

    @property
    def kind(self) -> str:
        """top, diff, param_diff or post."""
        return self.key.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.key}: {self.detail}"


def compare_blob(
    key: str, want: Array, have: Array | Tensor | None, tolerance: float, *, exact: bool = False, floor: float = 0.0
) -> BlobResult:
    """Compare presence, shape, dtype and values, in that order.

    Values may differ by `tolerance` times the largest finite magnitude of the wanted blob, or by `floor` where that is
    more; not at all where `exact`, or where that blob is zero and there is no floor. NaN equals NaN only, an infinity
    only itself; Caffe's -FLT_MAX for "nothing" does not count as a magnitude.
    """
    if have is None:
        return BlobResult(key, False, "missing", "missing")
    if isinstance(have, Tensor):
        have = have.detach().cpu().numpy()
    if have.shape != want.shape:
        return BlobResult(key, False, "shape", f"shape {times(want.shape)} wanted, have {times(have.shape)}")
    if have.dtype != want.dtype:
        return BlobResult(key, False, "dtype", f"dtype {want.dtype} wanted, have {have.dtype}")
    return _compare_values(key, want, have, 0.0 if exact else tolerance, floor)


def _compare_values(key: str, want: Array, have: Array, allowed: float, floor: float) -> BlobResult:
    magnitude = largest_magnitude(want)
    differences = _differences(want, have)
    difference = float(np.fmax.reduce(differences, axis=None, initial=0.0))
    relative = _ratio(difference, magnitude)
    # A difference that is NaN is not within anything; two NaNs and two equal infinities are told apart below.
    bad = ~(differences <= max(allowed * magnitude, floor))
    if bad.any():
        bad &= ~((want == have) | ((want != want) & (have != have)))
    count = int(np.count_nonzero(bad))
    if not count:
        detail = _measure(difference, relative, allowed)
        if difference > allowed * magnitude:
            # A ratio to a magnitude that is rounding itself would say nothing.
            detail, relative = f"max difference {_number(difference)}, rounding alone comes to {_number(floor)}", 0.0
        return BlobResult(key, True, "", detail, want.size, 0, difference, relative, allowed)
    first = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
    detail = (
        f"{count} of {want.size} values differ, first at {list(first)}: want {_number(want[first])}, "
        f"have {_number(have[first])} ({_measure(difference, relative, allowed)})"
    )
    return BlobResult(key, False, "values", detail, want.size, count, difference, relative, allowed, first)


def largest_magnitude(values: Array) -> float:
    """The largest magnitude among a blob's finite values, 0 if there is none."""
    magnitudes = np.abs(_floating(values))
    largest = float(magnitudes.max(initial=0.0))
    if largest < _NOTHING:
        return largest
    return float(magnitudes.max(initial=0.0, where=magnitudes < _NOTHING))


def _differences(want: Array, have: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        differences = _floating(have) - _floating(want)
    # np.abs of a scalar blob is no array.
    return np.asarray(np.abs(differences))


def _floating(values: Array) -> Array:
    """Integers and truth values as float64, where their differences do not wrap."""
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def _ratio(difference: float, magnitude: float) -> float:
    if difference == 0:
        return 0.0
    return difference / magnitude if magnitude else float("inf")


def _measure(difference: float, relative: float, allowed: float) -> str:
    limit = f"allowed {allowed:g}" if allowed else "must be equal"
    return f"max difference {_number(difference)}, {relative:.2g} of the largest magnitude, {limit}"


def _number(value: Any) -> str:
    return f"{float(value):.9g}"
