"""LRN."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Layer, LayerError, Overwritten, Shape, register, times


@register("LRN")
class LRNLayer(Layer):
    """Divide each number by what its neighbourhood holds.

    Bottom and top: x, y (N, C, H, W).
    ACROSS_CHANNELS: y = x / (k + alpha / local_size * sum(x² over local_size channels around))^beta.
    WITHIN_CHANNEL: y = x / (1 + alpha / local_size² * sum(x² over local_size × local_size cells around))^beta.
    k plays no part within a channel, since Caffe builds that from a Power layer with shift 1.
    Neighbours outside the bottom count as zeros in both.

    Differs from torch.nn.LocalResponseNorm: the same across channels; torch has no region within a channel.
    """

    writes_unasked = True
    messages = ("lrn_param",)
    same_shape = True
    fresh_top = True

    def __init__(
        self,
        *,
        local_size: int = 5,
        alpha: float = 1.0,
        beta: float = 0.75,
        norm_region: str = "ACROSS_CHANNELS",
        k: float = 1.0,
        engine: str = "DEFAULT",
    ) -> None:
        super().__init__()
        if local_size % 2 == 0:
            raise LayerError(f"local_size must be odd, so that a neighbourhood has a middle; got {local_size}")
        self.local_size, self.alpha, self.beta, self.k = local_size, alpha, beta, k
        self.norm_region = norm_region
        if norm_region == "ACROSS_CHANNELS":
            self.backward_reads = frozenset({"top"})  # of the others' only the products with their diffs

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check that there are channels and a plane."""
        super().setup(*bottoms, num_tops=num_tops)
        _check(bottoms[0])

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        _check(tuple(x.shape))
        if self.norm_region == "WITHIN_CHANNEL":
            scale = 1 + self.alpha * functional.avg_pool2d(x * x, self.local_size, 1, self.local_size // 2)
        else:
            scale = self._scale(x)
        return (x * scale.pow(-self.beta),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff: dx = dy s^-beta - 2 alpha beta / local_size * x * sum(dy y / s around), where y = x s^-beta."""
        x, scale = data.true_bottom, self._scale(data.true_bottom)
        around = self._sum_across(diff * data.top / scale)
        return diff * scale.pow(-self.beta) - 2 * self.alpha * self.beta / self.local_size * x * around

    def _scale(self, x: Tensor) -> Tensor:
        return self.k + self.alpha / self.local_size * self._sum_across(x * x)

    def _sum_across(self, square: Tensor) -> Tensor:
        """The sum over local_size channels around each."""
        half, channels = self.local_size // 2, square.shape[1]
        padded = functional.pad(square, (0, 0, 0, 0, half, half))
        total = padded.narrow(1, 0, channels)
        for offset in range(1, self.local_size):
            total = total + padded.narrow(1, offset, channels)
        return total


def _check(bottom: Shape) -> None:
    if len(bottom) != 4:
        raise LayerError(f"takes a bottom of 4 axes (N×C×H×W), got {times(bottom)}")
