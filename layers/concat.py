"""Concat."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, canonical_axis, register, times


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
    takes_half = True
    compiles = True

    def __init__(self, *, concat_dim: int = 1, axis: int = 1) -> None:
        super().__init__()
        if concat_dim != 1 and axis != 1:
            raise LayerError(f"takes either axis or its older name concat_dim, got {axis} and {concat_dim}")
        self.axis = axis if concat_dim == 1 else concat_dim

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The first bottom's shape, with the sum of the lengths at the axis."""
        axis = self._common_axis(*bottoms)
        return ((*bottoms[0][:axis], sum(shape[axis] for shape in bottoms), *bottoms[0][axis + 1 :]),)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.cat(bottoms, self._common_axis(*(tuple(bottom.shape) for bottom in bottoms))),)

    def _common_axis(self, *shapes: Shape) -> int:
        """The axis, once it is sure that the shapes differ nowhere else."""
        first = shapes[0]
        axis = canonical_axis(self.axis, first)
        for index, shape in enumerate(shapes):
            if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
                raise LayerError(
                    f"takes bottoms that differ along axis {axis} alone, "
                    f"got {times(first)} and, as bottom {index}, {times(shape)}"
                )
        return axis
