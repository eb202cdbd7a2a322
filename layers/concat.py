"""Concat."""

from __future__ import annotations

import torch
from torch import Tensor

from .layer import Arity, Layer, LayerError
from .registry import register
from .shapes import canonical_axis, times


@register("Concat")
class ConcatLayer(Layer):
    """Put blobs one behind the other along an axis.

    Bottoms: one or more, equal in all axes but `axis`. Top: their numbers in order; its length at the axis is the sum.
    concat_dim is the older name of axis, never negative; only one may be given.

    Differs from torch.cat: the axis is 1 unless said otherwise.
    """

    messages = ("concat_param",)
    bottoms = Arity(1, None)
    fresh_top = True

    def __init__(self, *, concat_dim: int = 1, axis: int = 1) -> None:
        super().__init__()
        if concat_dim != 1 and axis != 1:
            raise LayerError(f"takes either axis or its older name concat_dim, got {axis} and {concat_dim}")
        self.axis = axis if concat_dim == 1 else concat_dim

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        first = tuple(bottoms[0].shape)
        axis = canonical_axis(self.axis, first)
        for index, bottom in enumerate(bottoms):
            shape = tuple(bottom.shape)
            if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
                raise LayerError(
                    f"takes bottoms that differ along axis {axis} alone, "
                    f"got {times(first)} and, as bottom {index}, {times(shape)}"
                )
        return (torch.cat(bottoms, axis),)
