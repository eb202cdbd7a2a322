"""Convolution."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from .base import FilteringLayer, Ints, Shape, convolve, register


@register("Convolution")
class ConvolutionLayer(FilteringLayer):
    """Slide learned filters over the spatial axes.

    Bottoms and tops: one or more pairs x, y that share shapes and params: x (N, C, *size), y (N, num_output, *out).
    C is at `axis`; all axes before it are the batch, those after it are spatial.
    Params: weight (num_output, C / group, *kernel), bias (num_output,) unless bias_term is false.
    y = weight * x + bias (no flip), out = (size + 2 pad - dilation (kernel - 1) - 1) / stride + 1; the division rounds
    towards zero, so that a kernel may hang over the padded bottom by less than its stride.

    kernel_size, pad, stride and dilation hold one number for all spatial axes or one for each; kernel, pad and stride
    of two spatial axes may be spelt _h and _w instead, not both ways. engine and force_nd_im2col change no result.

    Differs from torch.nn.Conv2d: several bottoms, any channel axis, fields as Caffe spells them.
    """

    operators = (functional.conv1d, functional.conv2d, functional.conv3d)

    def weight_shape(self) -> Shape:
        """One filter over a group's channels for each output."""
        return (self.num_output, self.channels // self.group, *self.kernel)

    def out(self, size: Ints) -> Ints:
        """A number for each place of the kernel."""
        return self.places(size)

    def hangs_over(self, size: Ints) -> bool:
        """Whether a kernel is larger than the padded bottom along an axis."""
        return any(n + 2 * p < r for n, p, r in zip(size, self.pad, self.reach, strict=False))

    def by_taps(self, x: Tensor, weight: Tensor, out: Ints) -> Tensor:
        """Tap by tap, over as many zeros as the kernel hangs over."""
        return convolve(self.padded(x), weight, out, self.stride, self.dilation, self.group)

    def multiply_adds(self, *bottoms: Shape) -> int:
        """Each number of a top takes one multiply-add for each weight of its filter."""
        batch, size = math.prod(bottoms[0][: self.axis]), bottoms[0][self.axis + 1 :]
        return len(bottoms) * batch * math.prod(self.out(size)) * math.prod(self.param_shapes[0])
