"""TanH."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, Overwritten, register


@register("TanH")
class TanHLayer(Layer):
    """Squash into -1 to 1.

    Bottom and top: x, y (any shape). y = tanh(x).

    Differs from torch.nn.Tanh: in nothing.
    """

    same_shape = True
    messages = ("tanh_param",)
    keeps_channels = True
    compiles = True
    in_place = True
    backward_reads = frozenset({"top"})
    leaves = frozenset({"sign"})

    def __init__(self, *, engine: str = "DEFAULT") -> None:
        super().__init__()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        return (x.tanh(),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy (1 - y²)."""
        return diff * (1 - data.top * data.top)
