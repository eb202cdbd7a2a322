"""Power."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Layer, register


@register("Power")
class PowerLayer(Layer):
    """Shift, scale and raise to a power.

    Bottom and top: x, y (any shape). y = (shift + scale * x)^power, without reading x where scale or power is 0.
    A shift of 0 is not added, so a zero keeps its sign: with power -1 it gives infinity of that sign.

    Differs from torch.pow: shift and scale.
    Differs from Caffe: where shift + scale * x is 0 the gradient is the true one, not 0 / 0. In place, too, it is the
    bottom's; Caffe's is computed from the overwritten one.
    """

    same_shape = True
    messages = ("power_param",)
    keeps_channels = True

    def __init__(self, *, power: float = 1.0, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.power, self.scale, self.shift = power, scale, shift

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if self.scale * self.power == 0:
            value = torch.tensor(self.shift, dtype=x.dtype, device="cpu").pow(self.power).item()
            return (x.masked_fill(torch.ones_like(x, dtype=torch.bool), value),)
        base = x if self.scale == 1 else self.scale * x
        base = base if self.shift == 0 else self.shift + base
        if self.power != 1:
            return (base.pow(self.power),)
        return (x.view_as(x) if base is x else base,)
