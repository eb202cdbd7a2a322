"""Softmax."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, canonical_axis, register


@register("Softmax")
class SoftmaxLayer(Layer):
    """Turn scores into probabilities along an axis.

    Bottom and top: x, y (any shape with `axis`). y = exp(x - max x) / sum exp(x - max x) along the axis.

    Differs from torch.nn.Softmax: the axis is 1 unless said otherwise.
    """

    writes_unasked = True
    messages = ("softmax_param",)
    keeps_places = True
    keeps_channels = True
    takes_class_scores = True

    def __init__(self, *, engine: str = "DEFAULT", axis: int = 1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.softmax(canonical_axis(self.axis, tuple(x.shape))),)
