"""ReLU."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Layer, Overwritten, register


@register("ReLU")
class ReLULayer(Layer):
    """Set negative values to zero, or scale them by a slope.

    Bottom and top: x, y (any shape).
    y = max(x, 0) + negative_slope * min(x, 0); the gradient at exactly 0 is negative_slope.

    The net sets `overwrite` where the prototxt asks for it and nobody needs the bottom any more.
    Differs from torch.nn.ReLU: nothing but the slope, which torch splits off as LeakyReLU.
    """

    same_shape = True
    takes_half = True
    messages = ("relu_param",)
    keeps_channels = True
    compiles = True
    in_place = True

    def __init__(self, negative_slope: float = 0.0, engine: str = "DEFAULT") -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.backward_reads = frozenset({"sign"} if negative_slope >= 0 else {"bottom"})
        self.leaves = frozenset({"sign", "top"} if negative_slope == 0 else {"sign"} if negative_slope > 0 else ())

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if self.negative_slope == 0:
            return (functional.relu(x, inplace=self.overwrite),)
        # Overwritten by a negative slope, an input's sign could not be told any more.
        overwrite = self.overwrite and self.negative_slope > 0
        return (functional.leaky_relu(x, self.negative_slope, inplace=overwrite),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy where x > 0, else negative_slope dy."""
        return diff * ((data.bottom > 0) + self.negative_slope * (data.bottom <= 0))
