"""BatchNorm."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Filler, Layer, Shape, register


@register("BatchNorm")
class BatchNormLayer(Layer):
    """Shift and scale each channel to mean 0 and variance 1; Scale follows where the result is to be learned.

    Bottom and top: x, y (N, C, *rest); a bottom of one axis is one channel.
    Params: sum of means (C,), sum of variances (C,), sum of their weights (1,); never learned.
    y = (x - mean) / sqrt(variance + eps).
    TRAIN, or use_global_stats false: mean and variance are the batch's, and each forward first multiplies all three
    params by moving_average_fraction, then adds mean, variance * m / (m - 1) and 1; m numbers make a channel.
    TEST, or use_global_stats true: they are the first two params divided by the third, 0 where that is 0, and count as
    constants in backward.

    Differs from torch.nn.BatchNorm2d: sums with a weight instead of averages, no affine part, one number will do.
    """

    same_shape = True
    writes_unasked = True
    messages = ("batch_norm_param",)
    statistics = True
    fresh_top = True
    keeps_channels = True
    in_place = True

    def __init__(
        self,
        *,
        use_global_stats: bool | None = None,
        moving_average_fraction: float = 0.999,
        eps: float = 1e-5,
        phase: str = "TEST",
    ) -> None:
        super().__init__()
        self.use_global_stats = phase == "TEST" if use_global_stats is None else use_global_stats
        self.moving_average_fraction, self.eps = moving_average_fraction, eps
        self.compiles = self.use_global_stats  # otherwise a forward moves the sums

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make the three sums, all 0."""
        super().setup(*bottoms, num_tops=num_tops)
        channels = bottoms[0][1] if len(bottoms[0]) > 1 else 1
        for shape in ((channels,), (channels,), (1,)):
            self.add_param(shape, Filler())

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        columns = x if x.dim() > 1 else x[:, None]  # (N,) -> (N, 1)
        y = self._with_global(columns) if self.use_global_stats else self._with_batch(columns)
        return (y if x.dim() > 1 else y[:, 0],)

    def _with_global(self, x: Tensor) -> Tensor:
        # Not torch's batch_norm: its backward takes some strides for those of another layout (torch 2.13).
        factor, shift = (values.view(-1, *[1] * (x.dim() - 2)) for values in self.affine())
        return torch.addcmul(shift, x, factor)

    def statistics_of_channels(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel as the params have them."""
        mean, variance, weight = (param.detach() for param in self.params)
        share = torch.where(weight == 0, 0.0, 1 / weight)
        return mean * share, variance * share

    def affine(self) -> tuple[Tensor, Tensor]:
        """The factor and the shift of each channel that fixed statistics come to."""
        mean, variance = self.statistics_of_channels()
        factor = (variance + self.eps).rsqrt()
        return factor, -mean * factor

    def _with_batch(self, x: Tensor) -> Tensor:
        dims = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
        self._accumulate(mean.detach().flatten(), variance.detach().flatten(), x.numel() // x.shape[1])
        return (x - mean) / (variance + self.eps).sqrt()

    @torch.no_grad()
    def _accumulate(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Take the batch's statistics into the running sums."""
        unbiased = variance * (count / (count - 1) if count > 1 else 1.0)
        for param, news in zip(self.params, (mean, unbiased, torch.ones_like(mean[:1])), strict=True):
            param.mul_(self.moving_average_fraction).add_(news)
