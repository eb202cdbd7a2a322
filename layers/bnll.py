"""BNLL."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Layer, Overwritten, register

_HIGHEST = 50.0
"""Caffe's backward takes no exponential of more."""


@register("BNLL")
class BNLLLayer(Layer):
    """The binomial negative log likelihood: a smooth ReLU.

    Bottom and top: x, y (any shape). y = log(1 + exp(x)), without overflow.

    Differs from torch.nn.Softplus: in nothing.
    Differs from Caffe: in place, too, the diff is the true one; Caffe's, which faithful_inplace gives, is not.
    """

    same_shape = True
    fresh_top = True
    keeps_channels = True
    in_place = True
    backward_reads = frozenset({"bottom"})

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (functional.softplus(x),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy e / (e + 1), e = exp(x)."""
        e = data.bottom.clamp(max=_HIGHEST).exp()
        return diff * e / (e + 1)
