"""Sigmoid."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .base import Layer, Overwritten, register

_LEAST = 2.0**-55
"""Caffe computes 0.5 * tanh(0.5 * x) + 0.5 in float64, where tanh is exactly -1 from here on down."""
_LOW = -38.0
"""From here on up a sigmoid is above that."""


@register("Sigmoid")
class SigmoidLayer(Layer):
    """Squash into 0 to 1.

    Bottom and top: x, y (any shape). y = 1 / (1 + exp(-x)), and exactly 0 where that is 2^-55 or less
    (x below about -38), so that a ReLU behind it passes nothing.

    Differs from torch.nn.Sigmoid: that is never 0 before exp overflows, at -88.
    """

    same_shape = True
    messages = ("sigmoid_param",)
    keeps_channels = True
    compiles = True
    in_place = True
    backward_reads = frozenset({"top"})

    def __init__(self, *, engine: str = "DEFAULT") -> None:
        super().__init__()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (opened(x),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy y (1 - y)."""
        return diff * data.top * (1 - data.top)


def opened(x: Tensor) -> Tensor:
    """Caffe's sigmoid of x."""
    # To look at the bottom costs less than the pass over the top, hardly ever needed; at a GPU's it would halt it.
    if x.device.type == "cpu" and not torch.compiler.is_compiling() and (not x.numel() or x.detach().amin() > _LOW):
        return x.sigmoid()
    return functional.threshold(x.sigmoid(), _LEAST, 0.0)
