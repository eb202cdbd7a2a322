"""Threshold."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, register


@register("Threshold")
class ThresholdLayer(Layer):
    """Tell which values lie above a threshold.

    Bottom and top: x, y (any shape). y = 1 if x > threshold, else 0; x at the threshold gives 0.

    Differs from torch.nn.Threshold: that keeps the values above. It has no backward, as in Caffe.
    """

    messages = ("threshold_param",)
    same_shape = True
    undifferentiable = frozenset({0})
    discrete = frozenset({0})
    keeps_channels = True
    in_place = True

    def __init__(self, *, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return ((x > self.threshold).to(x.dtype),)
