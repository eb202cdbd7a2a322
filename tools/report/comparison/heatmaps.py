"""A blob as three maps: the golden's values, ours in the same colours, and the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..html import DIVERGING, SEQUENTIAL, Html, element, picture

Array = npt.NDArray[Any]
_NOTHING = float(np.finfo(np.float32).max)
_MAP = 16
"""So many cells make a map that is shown as such; smaller ones are shown as rows of a matrix."""
_SHOWN = 180
"""Pixels of the page that a map's longer side takes at least."""


@dataclass(frozen=True)
class Plane:
    """The part of a blob that is shown: two sides, rows × columns, and what it is of."""

    want: Array
    have: Array
    text: str
    blank: Array | None = None
    """Cells that fill up the last row."""


def heatmaps(want: Array, have: Array, side: int) -> Html | None:
    """The maps of two blobs of one shape, no side longer than `side`; None for a single value."""
    if want.size < 2 or want.shape != have.shape:
        return None
    plane = _plane(want.astype(np.float64), have.astype(np.float64))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = plane.have - plane.want
    difference[(plane.want == plane.have) | (np.isnan(plane.want) & np.isnan(plane.have))] = 0
    low, high = _range(plane.want) or _range(plane.have) or (0.0, 0.0)
    if low == high:
        low, high = _range(np.stack([plane.want, plane.have])) or (low, high)
    largest = max(map(abs, _range(difference) or (0.0,)))
    blank = None if plane.blank is None else _reduced(plane.blank, side, np.minimum)
    figures = [
        _figure("golden", plane.want, _mean(plane.want, side), (low, high), SEQUENTIAL, blank),
        _figure("ours", plane.have, _mean(plane.have, side), (low, high), SEQUENTIAL, blank),
        _figure("ours − golden", difference, _extreme(difference, side), (-largest, largest), DIVERGING, blank),
    ]
    return element("div", element("p", plane.text, class_="what"), element("div", figures, class_="maps"))


def _plane(want: Array, have: Array) -> Plane:
    """The map with the largest difference of a blob of maps, else the whole blob as a matrix."""
    with np.errstate(invalid="ignore", over="ignore"):
        differences = np.abs(have - want)
    worst = np.unravel_index(int(np.nan_to_num(differences, nan=np.inf).argmax()), want.shape)
    if want.ndim == 4 and want.shape[2] * want.shape[3] >= _MAP:
        n, c = int(worst[0]), int(worst[1])
        where = f"item {n}, channel {c}" if want.shape[0] > 1 else f"channel {c}"
        of = f" of {want.shape[1]}, where the difference is largest" if want.shape[0] * want.shape[1] > 1 else ""
        return Plane(want[n, c], have[n, c], f"{where}{of}")
    rows = want.shape[0] if want.ndim > 1 else 1
    a, b = want.reshape(rows, -1), have.reshape(rows, -1)  # (N, ...) -> (N, K)
    if min(a.shape) == 1:
        return _wrapped(a.ravel(), b.ravel())
    if rows > 2 * a.shape[1]:
        return Plane(a.T, b.T, f"the whole blob, its {rows} items side by side")
    return Plane(a, b, f"the whole blob, a row for each of its {rows} items")


def _wrapped(a: Array, b: Array) -> Plane:
    """A vector in rows."""
    width = int(np.ceil(np.sqrt(4 * len(a)))) if len(a) > 32 else len(a)
    count = -len(a) % width
    blank = np.zeros((len(a) + count) // width * width, bool)
    blank[len(a) :] = True
    want, have = (np.pad(values, (0, count)).reshape(-1, width) for values in (a, b))  # (N,) -> (rows, width)
    more = f", {width} in a row" if width < len(a) else ""
    return Plane(want, have, f"its {len(a)} values{more}", blank.reshape(want.shape))


def _range(values: Array) -> tuple[float, float] | None:
    """The least and the largest of the values that are finite and mean something."""
    real = values[np.abs(np.nan_to_num(values, nan=np.inf)) < _NOTHING]
    return (float(real.min()), float(real.max())) if real.size else None


def _reduced(values: Array, side: int, of: np.ufunc) -> Array:
    """Blocks of a map in place of its cells, so that no side is longer than `side`."""
    for axis in (0, 1):
        length = values.shape[axis]
        if length > side:
            values = of.reduceat(values, np.arange(side) * length // side, axis=axis)
    return values


def _mean(values: Array, side: int) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        return _reduced(values, side, np.add) / _reduced(np.ones(values.shape), side, np.add)


def _extreme(values: Array, side: int) -> Array:
    """The value of largest magnitude in each block, so that one wrong cell stays in sight."""
    high, low = _reduced(values, side, np.maximum), _reduced(values, side, np.minimum)
    return np.where(np.abs(low) > np.abs(high), low, high)


def _figure(
    title: str, values: Array, shown: Array, limits: tuple[float, float], colours: Array, blank: Array | None
) -> Html:
    """One map with its legend."""
    height, width = shown.shape
    zoom = max(1, _SHOWN // max(height, width))
    low, high = _range(values) or (np.nan, np.nan)
    told = f"{low:.4g} to {high:.4g}"
    if bad := int(np.count_nonzero(~np.isfinite(values))):
        told += f", {bad} not finite"
    if colours is DIVERGING and low == high == 0:
        told = "none"
    kind = "diverging" if colours is DIVERGING else "sequential"
    ends = [f"{limits[0]:.3g}", element("span", class_=f"bar {kind}", aria_hidden="true"), f"{limits[1]:.3g}"]
    image = element(
        "img",
        src=picture(shown, *limits, colours, blank),
        alt=f"{title}: {told}",
        width=width * zoom,
        height=height * zoom,
        decoding="async",
    )
    caption = [element("b", title), f" {told}", element("span", ends, class_="scale")]
    return element("figure", image, element("figcaption", caption))
