"""Softmax."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, Overwritten, canonical_axis, register


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
    in_place = True
    backward_reads = frozenset({"top"})  # of the others' only the products with their diffs

    def __init__(self, *, engine: str = "DEFAULT", axis: int = 1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.softmax(canonical_axis(self.axis, tuple(x.shape))),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = y (dy - sum(y dy)), the sum along the axis."""
        axis = canonical_axis(self.axis, tuple(diff.shape))
        return data.top * (diff - (data.top * diff).sum(axis, keepdim=True))
