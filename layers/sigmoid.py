"""Sigmoid."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, register


@register("Sigmoid")
class SigmoidLayer(Layer):
    """Squash into 0 to 1.

    Bottom and top: x, y (any shape). y = 1 / (1 + exp(-x)).

    Differs from torch.nn.Sigmoid: in nothing.
    """

    same_shape = True
    messages = ("sigmoid_param",)
    keeps_channels = True
    compiles = True

    def __init__(self, *, engine: str = "DEFAULT") -> None:
        super().__init__()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.sigmoid(),)
