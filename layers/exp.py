"""Exp."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import Layer, LayerError, Overwritten, register


@register("Exp")
class ExpLayer(Layer):
    """Raise a base to a power that is scaled and shifted.

    Bottom and top: x, y (any shape). y = base^(shift + scale * x), with base e if `base` is -1.
    y is computed as e^(log(base) * scale * x) times base^shift: where that factor overflows, y is infinite.

    Differs from torch.exp: base, scale and shift.
    """

    messages = ("exp_param",)
    same_shape = True
    keeps_channels = True
    in_place = True
    backward_reads = frozenset({"top"})

    def __init__(self, *, base: float = -1.0, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.rate = log_of_base(base) * scale
        self.factor = torch.tensor(log_of_base(base) * shift, device="cpu").exp().item()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (self.factor * (self.rate * x).exp(),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = log(base) scale y dy."""
        return data.top * diff * self.rate


def log_of_base(base: float) -> float:
    """The natural logarithm of a base; -1 stands for e."""
    if base == -1:
        return 1.0
    if not 0 < base < math.inf:
        raise LayerError(f"takes a base above 0, or -1 for e, got {base:g}")
    return math.log(base)
