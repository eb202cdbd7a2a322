"""TanH."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, register


@register("TanH")
class TanHLayer(Layer):
    """Squash into -1 to 1.

    Bottom and top: x, y (any shape). y = tanh(x).

    Differs from torch.nn.Tanh: in nothing.
    """

    same_shape = True
    messages = ("tanh_param",)
    keeps_channels = True
    compiles = True

    def __init__(self, *, engine: str = "DEFAULT") -> None:
        super().__init__()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.tanh(),)
