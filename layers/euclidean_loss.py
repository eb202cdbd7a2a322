"""EuclideanLoss."""

from __future__ import annotations

import math

from torch import Tensor

from .base import LayerError, LossLayer, register, same_first_axis, times


@register("EuclideanLoss")
class EuclideanLossLayer(LossLayer):
    """Half the mean squared distance between items.

    Bottoms: x, t (N, ...), as many numbers an item in both, in any shape. Top: loss () = sum((x - t)²) / (2 N).
    Both bottoms get diffs.

    Differs from torch.nn.MSELoss: the half, and the mean is over items, not numbers.
    """

    unforced = frozenset()
    undifferentiable = frozenset()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, target = bottoms
        same_first_axis(tuple(x.shape), tuple(target.shape))
        if math.prod(x.shape[1:]) != math.prod(target.shape[1:]):
            shapes = f"{times(tuple(x.shape))} and {times(tuple(target.shape))}"
            raise LayerError(f"takes as many numbers an item in both bottoms, got {shapes}")
        return ((x - target.reshape(x.shape)).square().sum() / (2 * x.shape[0]),)
