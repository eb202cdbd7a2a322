"""PReLU."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Filler, Layer, LayerError, Shape, register, times


@register("PReLU")
class PReLULayer(Layer):
    """Scale negative values by a slope that is learnt.

    Bottom and top: x, y (N, C, ...). Params: slope (C,), or () for all channels together if channel_shared.
    y = max(x, 0) + slope * min(x, 0); at exactly 0 the gradient is the slope. Without a filler slopes start as 0.25.

    Differs from torch.nn.PReLU: a shared slope has no axes.
    """

    messages = ("prelu_param",)
    same_shape = True
    fresh_top = True
    keeps_channels = True
    in_place = True
    compiles = True

    def __init__(self, *, filler: Filler = Filler(value=0.25), channel_shared: bool = False) -> None:
        super().__init__()
        self.filler, self.channel_shared = filler, channel_shared

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make the slopes."""
        super().setup(*bottoms, num_tops=num_tops)
        if len(bottoms[0]) < 2:
            raise LayerError(f"takes a bottom of at least 2 axes, got {times(bottoms[0])}")
        self.add_param(() if self.channel_shared else (bottoms[0][1],), self.filler)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,), (slope,) = bottoms, self.params
        if slope.dim() and len(slope) != x.shape[1]:
            raise LayerError(f"was set up for {len(slope)} channels, the bottom is {times(tuple(x.shape))}")
        return (functional.prelu(x, slope),)
