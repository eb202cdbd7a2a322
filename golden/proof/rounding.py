"""Rounding around a true zero: numbers that are all the same, centred and divided by a deviation of next to nothing.

What comes out is rounding alone, however large, and another program's rounding is as good.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from math import prod

import numpy as np
import torch
from torch import Tensor

from ...layers import BatchNormLayer, MVNLayer
from ...prototxt.files import Floats
from ...prototxt.net import Net, Step

_EPSILON = float(np.finfo(np.float32).eps)
_LEVEL = 16 * _EPSILON
"""Up to which share of their magnitude numbers count as all the same."""
_TRIALS = 3
_MARGIN = 8
"""How much further than in our trials another order of summing may go."""


def rounding_of(net: Net, blobs: Mapping[str, Tensor], feed: Mapping[str, Tensor], blob: str) -> Floats:
    """How far rounding may move each value of a blob whose layers are given the net's own blobs."""
    steps = [step for step in net.steps if blob in step.node.tops]
    return rounding(steps, {**blobs, **{name: feed[name] for name in {blob} & feed.keys()}})[blob]


@torch.no_grad()
def rounding(steps: Iterable[Step], values: Mapping[str, Tensor]) -> dict[str, Floats]:
    """How far rounding may move each value of what layers make, one after another, of the blobs that are there."""
    plain, *moved = [dict(values) for _ in range(1 + _TRIALS)]
    generator = torch.Generator().manual_seed(1)
    found: dict[str, Floats] = {}
    for step in (step for step in steps if step.node.bottoms):
        bottoms = [[blobs[name] for name in step.node.bottoms] for blobs in (plain, *moved)]
        for trial in bottoms[1:]:
            trial[0] = _roughened(step, trial[0], generator)
        for blobs, given in zip((plain, *moved), bottoms, strict=True):
            layer = copy.deepcopy(step.layer)  # running statistics stay as they are
            blobs.update(zip(step.node.tops, layer(*(bottom.clone() for bottom in given)), strict=True))
        for top in step.node.tops:
            found[top] = _spread(plain[top], [blobs[top] for blobs in moved])
    return found


def _roughened(step: Step, x: Tensor, generator: torch.Generator) -> Tensor:
    """A bottom whose numbers are all the same, as far apart as the rounding of their mean may put them from it."""
    if isinstance(step.layer, BatchNormLayer) and not step.layer.use_global_stats:
        dims = [axis for axis in range(x.dim()) if axis != 1 or x.dim() == 1]
    elif isinstance(step.layer, MVNLayer):
        dims = [axis for axis in step.layer.dims if axis < x.dim()]
    else:
        return x
    magnitude = x.abs().amax(dims, keepdim=True)
    level = x.amax(dims, keepdim=True) - x.amin(dims, keepdim=True) <= _LEVEL * magnitude
    step_size = magnitude * _EPSILON * prod(x.shape[axis] for axis in dims) ** 0.5
    signs = torch.randint(0, 2, x.shape, generator=generator) * 2 - 1
    return torch.where(level, x + signs.to(x) * step_size, x)


def _spread(plain: Tensor, moved: Iterable[Tensor]) -> Floats:
    """How far values went, the farthest of each item's channel, in the blob's shape."""
    far = torch.stack([(other - plain).abs() for other in moved]).amax(0)
    behind = list(range(2, far.dim()))
    spread: Floats = (_MARGIN * (far.amax(behind, keepdim=True) if behind else far)).expand_as(far).cpu().numpy()
    return spread
