"""The places of the largest values: whether the golden's hold values equal to ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...layers import ArgMaxLayer, Layer, canonical_axis
from .tie import Choice, GoldenSide


@torch.no_grad()
def follow_places(
    layer: Layer, bottoms: Sequence[Tensor], tops: Sequence[Tensor], golden: GoldenSide, allowed: float
) -> Choice | None:
    """Along the golden's places, where each holds the value that the place of its rank must hold."""
    assert isinstance(layer, ArgMaxLayer)
    if layer.out_max_val and layer.axis is not None:
        return None  # values alone: equal ones are one and the same
    axis = 1 if layer.axis is None else canonical_axis(layer.axis, tuple(bottoms[0].shape))
    x = _searched(layer, bottoms[0])
    theirs = x if golden.bottoms is None else _searched(layer, golden.bottoms[0])
    wanted, own = (_places(layer, top) for top in (golden.tops[0], tops[0]))
    if theirs.shape != x.shape or not _are_places(wanted, x.shape[axis], axis):
        return None
    wanted, own = wanted.long(), own.long()
    if golden.bottoms is not None:
        right = _places(layer, layer.forward(golden.bottoms[0])[0]).long()
        if not torch.equal(theirs.gather(axis, wanted), theirs.gather(axis, right)):
            return None
    equal = [side.gather(axis, wanted) == side.gather(axis, own) for side in (x, theirs)]
    if not (equal[0] | equal[1]).all():
        return None
    top = _top(layer, wanted, x, tops[0])
    return _told(top, wanted, own, theirs, axis)


def _searched(layer: ArgMaxLayer, bottom: Tensor) -> Tensor:
    """As the layer looks at it: without an axis each item as a whole."""
    return bottom.flatten(1) if layer.axis is None else bottom


def _places(layer: ArgMaxLayer, top: Tensor) -> Tensor:
    """The places in a top, alone: (N, 1 or 2, top_k, 1...) -> (N, top_k), or with an axis the top itself."""
    return top[:, 0].flatten(1) if layer.axis is None else top


def _are_places(numbers: Tensor, length: int, axis: int) -> bool:
    """Whether these are numbers of places, and none comes twice along the axis."""
    if not bool(((numbers >= 0) & (numbers < length) & (numbers == numbers.floor())).all()):
        return False
    return bool((numbers.sort(axis).values.diff(dim=axis) > 0).all())


def _top(layer: ArgMaxLayer, places: Tensor, x: Tensor, like: Tensor) -> Tensor:
    numbers = places.to(like.dtype)
    if layer.axis is not None:
        return numbers
    return torch.stack([numbers, x.gather(1, places)] if layer.out_max_val else [numbers], 1).view_as(like)


def _told(top: Tensor, wanted: Tensor, own: Tensor, x: Tensor, axis: int) -> Choice:
    apart = wanted != own
    first = np.unravel_index(int(apart.flatten().int().argmax()), tuple(apart.shape))
    pair = [int(places[first]) for places in (wanted, own)]
    at = tuple(int(i) for i in np.delete(first, axis))
    text = f"{int(apart.sum())} of {wanted.numel()} places of largest values are others"
    score = float(x.gather(axis, wanted)[first])
    return Choice((top,), text, tuple(f"place {place} at {list(at)}" for place in pair), score, "value")
