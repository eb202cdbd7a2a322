"""Deconvolution."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from .base import FilteringLayer, Ints, LayerError, Shape, register, spread, times


@register("Deconvolution")
class DeconvolutionLayer(FilteringLayer):
    """Spread each number over a window by learned filters: what a convolution's backward does to its diff.

    Bottoms and tops: one or more pairs x, y that share shapes and params: x (N, C, *size), y (N, num_output, *out).
    C is at `axis`; all axes before it are the batch, those after it are spatial.
    Params: weight (C, num_output / group, *kernel), bias (num_output,) unless bias_term is false.
    y[stride i + dilation j - pad] += weight[j] x[i]; out = stride (size - 1) + dilation (kernel - 1) + 1 - 2 pad.

    The fields are Convolution's. With weight_filler bilinear, group and num_output C it enlarges by interpolation.

    Differs from torch.nn.ConvTranspose2d: several bottoms, any channel axis, no output_padding.
    """

    operators = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)

    def weight_shape(self) -> Shape:
        """One filter over a group's outputs for each channel."""
        return (self.channels, self.num_output // self.group, *self.kernel)

    def out(self, size: Ints) -> Ints:
        """What the windows cover, less the pad."""
        axes = zip(size, self.reach, self.stride, self.pad, strict=True)
        lengths = tuple(s * (length - 1) + need - 2 * p for length, need, s, p in axes)
        if any(length < 1 for length in lengths):
            raise LayerError(f"pad {times(self.pad)} leaves nothing of a top: its spatial axes would be {lengths}")
        return lengths

    def by_taps(self, x: Tensor, weight: Tensor, out: Ints) -> Tensor:
        """Tap by tap, over the pad, too, which is cut off then."""
        room = [length + 2 * p for length, p in zip(out, self.pad, strict=True)]
        top = spread(x, weight, room, self.stride, self.dilation, self.group)
        for axis, (p, length) in enumerate(zip(self.pad, out, strict=True), 2):
            top = top.narrow(axis, p, length)
        return top

    def multiply_adds(self, *bottoms: Shape) -> int:
        """Each number of a bottom takes one multiply-add for each weight of its filter."""
        batch, size = math.prod(bottoms[0][: self.axis]), bottoms[0][self.axis + 1 :]
        return len(bottoms) * batch * math.prod(size) * math.prod(self.param_shapes[0])
