"""BNLL."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Layer, register


@register("BNLL")
class BNLLLayer(Layer):
    """The binomial negative log likelihood: a smooth ReLU.

    Bottom and top: x, y (any shape). y = log(1 + exp(x)), without overflow.

    Differs from torch.nn.Softplus: in nothing.
    Differs from Caffe: in place, too, the diff is that of the bottom; Caffe's is computed from the overwritten one.
    """

    same_shape = True
    fresh_top = True
    keeps_channels = True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (functional.softplus(x),)
