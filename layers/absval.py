"""AbsVal."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, register


@register("AbsVal")
class AbsValLayer(Layer):
    """Drop the sign.

    Bottom and top: x, y (any shape). y = |x|; the gradient at 0 is 0.

    Differs from torch.abs: in nothing.
    """

    same_shape = True
    never_in_place = True
    keeps_channels = True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.abs(),)
