"""The proof that weights in a file are those that were meant, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...prototxt.files import Floats, LayerParams, ParamValues
from ...prototxt.net import count_nonfinite
from ..errors import GoldenError


def compare_params(want: Sequence[LayerParams], have: Sequence[LayerParams]) -> dict[tuple[str, int], int]:
    """Refuse the first layer whose params are not bit for bit the same; gives the counts of NaN and infinite values."""
    if [layer.key for layer in want] != [layer.key for layer in have]:
        lost = next((a for a in want if a.key not in {b.key for b in have}), want[0])
        raise GoldenError(f"layer {lost.name!r} does not come back from the written file")
    nonfinite = {}
    for mine, theirs in zip(want, have, strict=True):
        for index, (a, b) in enumerate(zip(mine.params, theirs.params, strict=True)):
            count = _compare(a, b)
            if count is None:
                raise GoldenError(
                    f"layer {mine.name!r}, param {index} comes back from the written file with other bits"
                )
            if count:
                nonfinite[mine.name, index] = count
    return nonfinite


def _compare(want: ParamValues, have: ParamValues) -> int | None:
    """How many values are NaN or infinite; None where the two differ in any bit."""
    if want.shape != have.shape:
        return None
    left, right, bad = _pieces(want), _pieces(have), 0
    a = b = np.empty(0, np.float32)
    while True:
        a = a if a.size else next(left, a)
        b = b if b.size else next(right, b)
        count = min(a.size, b.size)
        if not count:
            return bad if a.size == b.size else None
        if not np.array_equal(a[:count].view(np.uint32), b[:count].view(np.uint32)):
            return None
        bad += count_nonfinite(a[:count])
        a, b = a[count:], b[count:]


def _pieces(param: ParamValues) -> Iterator[Floats]:
    """The pieces of a param that hold values."""
    return (piece for piece in param.pieces() if piece.size)
