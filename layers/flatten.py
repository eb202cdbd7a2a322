"""Flatten."""

from __future__ import annotations

import math

from torch import Tensor

from .base import Layer, LayerError, canonical_axis, register, times


@register("Flatten")
class FlattenLayer(Layer):
    """Join neighbouring axes into one.

    Bottom: x. Top: y, where the axes of x from `axis` to `end_axis`, both included, are one; where end_axis is right
    before `axis`, an axis of length 1 is put between the two.

    Differs from torch.nn.Flatten: in nothing.
    """

    writes_unasked = True
    never_in_place = True
    messages = ("flatten_param",)
    keeps_places = True
    keeps_channels = True

    def __init__(self, *, axis: int = 1, end_axis: int = -1) -> None:
        super().__init__()
        self.axis, self.end_axis = axis, end_axis

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        shape = tuple(x.shape)
        start, end = canonical_axis(self.axis, shape), canonical_axis(self.end_axis, shape) + 1
        if start > end:
            raise LayerError(f"axis {self.axis} lies behind end_axis {self.end_axis} in bottom {times(shape)}")
        return (x.reshape(*shape[:start], math.prod(shape[start:end]), *shape[end:]),)
