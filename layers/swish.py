"""Swish."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, register
from .sigmoid import opened


@register("Swish")
class SwishLayer(Layer):
    """Let a value through as far as its own sigmoid opens.

    Bottom and top: x, y (any shape). y = x / (1 + exp(-beta * x)).

    Differs from torch.nn.SiLU: beta.
    """

    messages = ("swish_param",)
    same_shape = True
    keeps_channels = True

    def __init__(self, *, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x * opened(self.beta * x),)
