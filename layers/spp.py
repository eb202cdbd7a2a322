"""SPP."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Layer, LayerError, register, times
from .pooling import PoolingLayer


@register("SPP")
class SPPLayer(Layer):
    """Spatial pyramid pooling: numbers of fixed count from planes of any size.

    Bottom: x (N, C, H, W). Top: y (N, C * (1 + 4 + ... + 4^(pyramid_height - 1))), level after level, each flattened
    from N×C×2^l×2^l; with pyramid_height 1 it is the pooled N×C×1×1.
    Level l is Pooling with kernel and stride ceil(length / 2^l) and, on either side, half of what 2^l windows reach
    beyond the plane as pad, rounded up. A plane too small for a level, its pad as long as its kernel, is refused.
    STOCHASTIC draws in TEST too, since Caffe's inner pooling layers are not told the phase.

    Differs from torch.nn.AdaptiveMaxPool2d: the windows do not overlap and may reach into the padding.
    """

    messages = ("spp_param",)
    fresh_top = True

    def __init__(
        self,
        *,
        pyramid_height: int | None = None,
        pool: str = "MAX",
        engine: str = "DEFAULT",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not pyramid_height:
            raise LayerError("needs pyramid_height of at least 1")
        self.pyramid_height, self.pool, self.generator = pyramid_height, pool, generator

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if x.dim() != 4:
            raise LayerError(f"takes a bottom of 4 axes (N×C×H×W), got {times(tuple(x.shape))}")
        levels = [self._level(x, 1 << level) for level in range(self.pyramid_height)]
        return (levels[0] if len(levels) == 1 else torch.cat([level.flatten(1) for level in levels], 1),)

    def _level(self, x: Tensor, bins: int) -> Tensor:
        """The plane pooled to bins×bins."""
        kernel = tuple(-(-length // bins) for length in x.shape[2:])
        pad = tuple((k * bins - length + 1) // 2 for k, length in zip(kernel, x.shape[2:], strict=True))
        try:
            pooling = PoolingLayer(
                pool=self.pool,
                kernel_h=kernel[0],
                kernel_w=kernel[1],
                stride_h=kernel[0],
                stride_w=kernel[1],
                pad_h=pad[0],
                pad_w=pad[1],
                phase="TRAIN",
                generator=self.generator,
            )
            return pooling.forward(x)[0]
        except LayerError as error:
            size = times(tuple(x.shape[2:]))
            raise LayerError(f"cannot pool a plane of {size} to {bins}×{bins} bins: {error}") from error
