"""Charts as SVG: how large a blob's errors are, and the losses of a solver's steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ....golden import BlobResult, largest_magnitude
from .markup import Html, element

Array = npt.NDArray[Any]
_FIRST, _LAST, _PER_DECADE = -10, 1, 2
_LEFT, _TOP, _WIDTH, _HEIGHT, _FOOT = 44.0, 8.0, 300.0, 96.0, 30.0


def histogram(want: Array, have: Array, result: BlobResult) -> Html | None:
    """How many values have which error, in parts of the golden's largest magnitude; both axes are logarithmic."""
    if want.shape != have.shape or not want.size:
        return None
    counts = _counts(want.astype(np.float64), have.astype(np.float64))
    step = _WIDTH / len(counts)
    most = np.log10(max(counts) + 1)
    limit = _bin(result.allowed) if result.allowed else 1.0
    bars = [
        _bar(i * step + _LEFT, step, np.log10(count + 1) / most, count, i >= limit)
        for i, count in enumerate(counts)
        if count
    ]
    mark = element("line", x1=_LEFT + limit * step, x2=_LEFT + limit * step, y1=0, y2=_TOP + _HEIGHT, class_="limit")
    wrong = f"{result.different} of {result.size} beyond what is allowed" if result.different else "all within"
    alone = f"errors in parts of the largest magnitude, {largest_magnitude(want):.4g}: {wrong} ({result.allowed:g})"
    size = {"width": _LEFT + _WIDTH + 8, "height": _TOP + _HEIGHT + _FOOT}
    axes = [*_scale(len(counts), step), _counted(max(counts))]
    drawing = element("svg", bars, mark, axes, role="img", aria_label=alone, class_="histogram", **size)
    return element("figure", drawing, element("figcaption", alone))


def _counts(want: Array, have: Array) -> list[int]:
    """Values without any error, then half a decade each, then those that are not finite where they should be."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        errors = np.asarray(np.abs(have - want) / (largest_magnitude(want) or 1.0))  # of a scalar blob no array
    errors[(want == have) | (np.isnan(want) & np.isnan(have))] = 0
    real = np.isfinite(errors)
    places = np.zeros(errors.shape, np.int64)
    some = real & (errors > 0)
    count = (_LAST - _FIRST) * _PER_DECADE
    places[some] = np.floor(_bin(errors[some])).clip(1, count)
    places[~real] = count + 1
    return [int(number) for number in np.bincount(places.ravel(), minlength=count + 2)]


def _bin(error: Any) -> Any:
    """The place of errors on the axis: bin 0 holds those that are exactly zero."""
    return 1 + (np.log10(error) - _FIRST) * _PER_DECADE


def _bar(x: float, width: float, part: float, count: int, beyond: bool) -> Html:
    height = max(1.5, part * _HEIGHT)
    told = element("title", f"{count:,} values")
    kind = "beyond" if beyond else "within"
    return element("rect", told, x=x + 1, y=_TOP + _HEIGHT - height, width=width - 2, height=height, class_=kind)


def _scale(count: int, step: float) -> list[Html]:
    ticks = [(0.5, "0")] + [(_bin(10.0**k), f"1e{k}") for k in range(_FIRST + 1, _LAST, 3)] + [(count - 0.5, "NaN")]
    line = element("line", x1=_LEFT, x2=_LEFT + _WIDTH, y1=_TOP + _HEIGHT, y2=_TOP + _HEIGHT, class_="axis")
    return [
        line,
        *(
            element("text", name, x=_LEFT + at * step, y=_TOP + _HEIGHT + 14, text_anchor="middle", class_="tick")
            for at, name in ticks
        ),
    ]


def _counted(most: int) -> list[Html]:
    ends = ((_TOP + 9, f"{most:,}" if most < 1e6 else f"{most:.1e}"), (_TOP + _HEIGHT, "0"))
    return [element("text", text, x=_LEFT - 4, y=y, text_anchor="end", class_="tick") for y, text in ends]


def losses(name: str, golden: Sequence[float], ours: Sequence[float]) -> Html:
    """An output of the net over a solver's steps, the golden's and ours."""
    values = np.array([golden, ours], np.float64)
    real = values[np.isfinite(values)]
    low, high = (float(real.min()), float(real.max())) if real.size else (0.0, 1.0)
    span, last = high - low or 1.0, max(len(golden) - 1, 1)

    def line(row: Array, kind: str) -> Html:
        points = " ".join(
            f"{_LEFT + k / last * _WIDTH:.1f},{_TOP + (high - v) / span * _HEIGHT:.1f}"
            for k, v in enumerate(row)
            if np.isfinite(v)
        )
        return element("polyline", points=points, class_=kind)

    told = f"{name} over {len(golden)} steps: golden {golden[0]:.4g} to {golden[-1]:.4g}, ours to {ours[-1]:.4g}"
    texts = [
        element("text", f"{value:.3g}", x=_LEFT - 4, y=y, text_anchor="end", class_="tick")
        for value, y in ((high, _TOP + 9), (low, _TOP + _HEIGHT))
    ]
    size = {"width": _LEFT + _WIDTH + 8, "height": _TOP + _HEIGHT + 8}
    lines = [line(values[0], "golden"), line(values[1], "ours")]
    drawing = element("svg", lines, texts, role="img", aria_label=told, class_="losses", **size)
    legend = [element("span", "golden", class_="key golden"), " ", element("span", "ours", class_="key ours")]
    return element("figure", drawing, element("figcaption", told, " ", legend))
