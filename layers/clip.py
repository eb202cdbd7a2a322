"""Clip."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, LayerError, Overwritten, register


@register("Clip")
class ClipLayer(Layer):
    """Keep values within two limits.

    Bottom and top: x, y (any shape). y = max(min, min(x, max)); both limits must be given.
    The diff passes where min <= x <= max. If min is above max, every y is min.

    Differs from torch.clamp: that gives max where min is above max.
    Differs from Caffe: NaN stays NaN; in place, too, the diff stops outside the limits, where Caffe looks at what it
    has clipped already and passes all of it (so does a net with faithful_inplace).
    """

    messages = ("clip_param",)
    same_shape = True
    keeps_channels = True
    in_place = True
    backward_reads = frozenset({"bottom"})

    def __init__(self, *, min: float | None = None, max: float | None = None) -> None:
        super().__init__()
        if min is None or max is None:
            raise LayerError(f"needs both limits, {'min' if min is None else 'max'} is missing in clip_param")
        self.min, self.max = min, max

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.clamp(max=self.max).clamp(min=self.min),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy where min <= x <= max, else 0."""
        return diff * ((data.bottom >= self.min) & (data.bottom <= self.max))
