"""ELU."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Layer, Overwritten, register


@register("ELU")
class ELULayer(Layer):
    """Keep positive values, and let negative ones approach -alpha.

    Bottom and top: x, y (any shape). y = x if x > 0, else alpha * (exp(x) - 1); the gradient at exactly 0 is alpha.

    Differs from torch.nn.ELU: in nothing.
    """

    messages = ("elu_param",)
    same_shape = True
    keeps_channels = True
    compiles = True
    in_place = True

    def __init__(self, *, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha
        # With alpha below 0 what it makes of negative numbers is positive.
        self.backward_reads = frozenset({"top"} if alpha >= 0 else {"top", "bottom"})
        self.leaves = frozenset({"sign"} if alpha >= 0 else ())

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (functional.elu(x, self.alpha),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy where x > 0, else dy (alpha + y)."""
        return diff * ((data.bottom > 0) + (self.alpha + data.top) * (data.bottom <= 0))
