"""Power."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, register


@register("Power")
class PowerLayer(Layer):
    """Shift, scale and raise to a power.

    Bottom and top: x, y (any shape). y = (shift + scale * x)^power.

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
        base = self.shift + self.scale * x
        return (base if self.power == 1 else base.pow(self.power),)
