"""BatchReindex."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Layer, LayerError, canonical_axis, register, times


@register("BatchReindex")
class BatchReindexLayer(Layer):
    """Pick, repeat and reorder the items of a batch.

    Bottoms: x (N, ...); the numbers of the wanted items, (M,), each from 0 to N - 1. Top: y (M, ...).
    y[m] = x[number of m], a fraction being cut off. An item's diff is the sum over all its places; numbers get none.

    Differs from torch.index_select: numbers are floats, along axis 0.
    """

    bottoms = Arity(2, 2)
    undifferentiable = frozenset({1})
    fresh_top = True
    keeps_channels = True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, items = bottoms
        if items.dim() != 1:
            raise LayerError(f"takes item numbers of one axis, got {times(tuple(items.shape))}")
        axis = canonical_axis(0, tuple(x.shape))
        return (x.index_select(axis, as_indices(items, x.shape[axis])),)


def as_indices(numbers: Tensor, length: int) -> Tensor:
    """Numbers of a blob as indices from 0 to length - 1, fractions cut off; others are refused."""
    if not numbers.is_meta:
        outside = numbers[~((numbers >= 0) & (numbers < length))]
        if outside.numel():
            raise LayerError(f"takes indices from 0 to {length - 1}, got {outside[0].item():g}")
    return numbers.detach().long()
