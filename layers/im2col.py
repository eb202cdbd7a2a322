"""Im2col."""

from __future__ import annotations

import math

from torch import Tensor

from .base import LayerError, Shape, SlidingLayer, register, times


@register("Im2col")
class Im2colLayer(SlidingLayer):
    """Lay out every window that a convolution would see as a column of channels.

    Bottom: x (N, C, *size), C at `axis`, one spatial axis or more after it. Top: y (N, C * prod(kernel), *places).
    y[n, (c, *j), *i] = x[n, c, *(stride i + dilation j - pad)], 0 outside; places as a convolution's out.

    The geometry's fields are Convolution's; num_output, group, bias_term and the fillers mean nothing here.

    Differs from torch.nn.Unfold: any number of spatial axes, which stay apart in the top.
    """

    writes_unasked = True

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Settle the geometry."""
        super().setup(*bottoms, num_tops=num_tops)
        if not self.kernel:
            raise LayerError(f"needs a spatial axis after the channels at axis {self.axis}, got {times(bottoms[0])}")

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        first = self.axis + 1
        places = self.places(tuple(x.shape[first:]))
        windows = self.padded(x)
        for i, (kernel, reach, step, dilation) in enumerate(
            zip(self.kernel, self.reach, self.stride, self.dilation, strict=True)
        ):
            windows = windows.unfold(first + i, reach, step)
            windows = windows[..., ::dilation] if dilation else windows.expand(*windows.shape[:-1], kernel)
        # (*batch, C, *places, *kernel) -> (*batch, C, *kernel, *places) -> (*batch, C * prod(kernel), *places)
        spatial = len(places)
        axes = range(windows.dim())
        columns = windows.permute(*axes[:first], *axes[first + spatial :], *axes[first : first + spatial])
        return (columns.reshape(*x.shape[: self.axis], x.shape[self.axis] * math.prod(self.kernel), *places),)
