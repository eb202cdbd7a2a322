"""Log."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, LayerError, Overwritten, register
from .exp import log_of_base


@register("Log")
class LogLayer(Layer):
    """Take the logarithm of what is scaled and shifted.

    Bottom and top: x, y (any shape). y = log(shift + scale * x) to the given base, e if `base` is -1.
    NaN where shift + scale * x is negative.

    Differs from torch.log: base, scale and shift.
    Differs from Caffe: in place, too, the diff is the true one; Caffe's, which faithful_inplace gives, is not.
    """

    messages = ("log_param",)
    same_shape = True
    keeps_channels = True
    in_place = True
    backward_reads = frozenset({"bottom"})

    def __init__(self, *, base: float = -1.0, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        if base == 1:
            raise LayerError("takes a base other than 1: every power of 1 is 1")
        self.factor = 1 / log_of_base(base)
        self.scale, self.shift = scale, shift

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (self.factor * (self.shift + self.scale * x).log(),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy f, f = scale / (log(base) (shift + scale x)); in place f², since f is put where dy was."""
        slope = self.factor * self.scale / (self.shift + self.scale * data.bottom)
        return slope * (slope if data.in_place else diff)
