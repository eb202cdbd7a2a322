"""Swish."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, Overwritten, register
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
    in_place = True
    backward_reads = frozenset({"top"})

    def __init__(self, *, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x * opened(self.beta * x),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy (beta y + s (1 - beta y)), where s, the sigmoid, is memory of its own."""
        scaled, s = self.beta * data.top, opened(self.beta * data.true_bottom)
        return diff * (scaled + s * (1 - scaled))
