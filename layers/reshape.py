"""Reshape."""

from __future__ import annotations

import math

from torch import Tensor

from .base import Layer, LayerError, Shape, register, times


@register("Reshape")
class ReshapeLayer(Layer):
    """Read the same numbers under another shape.

    Bottom: x. Top: y, where `num_axes` axes of x from `axis` on (-1: all that follow) give way to the dims of `shape`:
    0 copies the bottom's length at that place, -1 is inferred from the count, at most once.
    A negative axis counts from behind the last: -1 appends.

    Differs from torch.reshape: dim 0 copies, and a range of axes may be replaced alone.
    """

    never_in_place = True
    messages = ("reshape_param",)
    keeps_places = True
    keeps_channels = True

    def __init__(self, *, shape: Shape | None = None, axis: int = 0, num_axes: int = -1) -> None:
        super().__init__()
        self.dims = shape or ()
        self.axis, self.num_axes = axis, num_axes
        if self.dims.count(-1) > 1 or min(self.dims, default=0) < -1:
            raise LayerError(f"shape {times(self.dims)} may hold -1 once, and nothing below")

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.reshape(self._top_shape(tuple(x.shape))),)

    def _top_shape(self, bottom: Shape) -> Shape:
        start = self.axis if self.axis >= 0 else len(bottom) + 1 + self.axis
        end = len(bottom) if self.num_axes == -1 else start + self.num_axes
        if not 0 <= start <= end <= len(bottom):
            raise LayerError(f"axis {self.axis} and num_axes {self.num_axes} reach beyond the bottom {times(bottom)}")
        if any(dim == 0 and start + i >= len(bottom) for i, dim in enumerate(self.dims)):
            raise LayerError(f"a dim 0 of shape {times(self.dims)} copies an axis that bottom {times(bottom)} lacks")
        dims = [bottom[start + i] if dim == 0 else dim for i, dim in enumerate(self.dims)]
        top = [*bottom[:start], *dims, *bottom[end:]]
        count, known = math.prod(bottom), math.prod(dim for dim in top if dim != -1)
        if -1 in top and known and count % known == 0:
            top[top.index(-1)] = count // known
        if -1 in top or math.prod(top) != count:
            raise LayerError(f"cannot read the {count} numbers of bottom {times(bottom)} as {times(tuple(top))}")
        return tuple(top)
