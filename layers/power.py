"""Power."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Layer, Overwritten, register


@register("Power")
class PowerLayer(Layer):
    """Shift, scale and raise to a power.

    Bottom and top: x, y (any shape). y = (shift + scale * x)^power, without reading x where scale or power is 0.
    A shift of 0 is not added, so a zero keeps its sign: with power -1 it gives infinity of that sign.

    Differs from torch.pow: shift and scale.
    Differs from Caffe: where shift + scale * x is 0 the gradient is the true one, not 0 / 0. In place, too, it is the
    true one, unless the net is to be Caffe's there (faithful_inplace).
    """

    same_shape = True
    messages = ("power_param",)
    keeps_channels = True
    in_place = True

    def __init__(self, *, power: float = 1.0, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.power, self.scale, self.shift = power, scale, shift
        if power * scale != 0:
            self.backward_reads = frozenset({"bottom"} if power in (1, 2) else {"bottom", "top"})

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

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy f; in place dx = f², since f is put where dy was. f is power scale y / (shift + scale x).

        With power 1 it is scale, with power 2 it is 2 scale (shift + scale x).
        """
        rate = self.power * self.scale
        if self.power == 1:
            slope = torch.full_like(diff, rate)
        elif self.power == 2:
            slope = rate * self.scale * data.bottom + rate * self.shift
        elif self.shift == 0:
            slope = self.power * (data.top / data.bottom)
        else:
            slope = rate * (data.top / (self.shift + self.scale * data.bottom))
        return slope * (slope if data.in_place else diff)
