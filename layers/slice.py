"""Slice."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, canonical_axis, register, times


@register("Slice")
class SliceLayer(Layer):
    """Cut a blob into pieces along an axis.

    Bottom: x. Tops: one or more pieces of x in order, cut before each of `slice_point`, or into equal lengths without.
    slice_dim is the older name of axis, never negative; only one may be given.

    Differs from torch.split: it takes the points between pieces, not their lengths.
    """

    messages = ("slice_param",)
    tops = Arity(1, None)

    def __init__(self, *, slice_dim: int = 1, slice_point: tuple[int, ...] = (), axis: int = 1) -> None:
        super().__init__()
        if slice_dim != 1 and axis != 1:
            raise LayerError(f"takes either axis or its older name slice_dim, got {axis} and {slice_dim}")
        self.axis = axis if slice_dim == 1 else slice_dim
        self.slice_point = slice_point

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        axis = canonical_axis(self.axis, tuple(x.shape))
        return torch.split(x, self._lengths(tuple(x.shape), axis), axis)

    def _lengths(self, bottom: Shape, axis: int) -> list[int]:
        """The tops' lengths along the axis."""
        length = bottom[axis]
        if not self.slice_point:
            if length % self.num_tops:
                raise LayerError(f"cannot cut axis {axis} of bottom {times(bottom)} into {self.num_tops} equal tops")
            return [length // self.num_tops] * self.num_tops
        if len(self.slice_point) != self.num_tops - 1:
            raise LayerError(f"needs one slice_point less than its {self.num_tops} tops, got {len(self.slice_point)}")
        lengths = [end - start for start, end in pairwise((0, *self.slice_point, length))]
        if min(lengths) < 1:
            raise LayerError(f"slice_point {self.slice_point} must rise within axis {axis} of bottom {times(bottom)}")
        return lengths
