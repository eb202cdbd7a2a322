"""Convolution."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from .fillers import Filler
from .layer import Arity, Layer, LayerError, Shape
from .registry import register
from .shapes import canonical_axis, same_shapes, times

Ints = tuple[int, ...]
_CONVOLVE: dict[int, Callable[..., Tensor]] = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


@register("Convolution")
class ConvolutionLayer(Layer):
    """Slide learned filters over the spatial axes.

    Bottoms and tops: one or more pairs x, y that share shapes and params: x (N, C, *size), y (N, num_output, *out).
    C is at `axis`; all axes before it are the batch, those after it are spatial.
    Params: weight (num_output, C / group, *kernel), bias (num_output,) unless bias_term is false.
    y = weight * x + bias (no flip), out = floor((size + 2 pad - dilation (kernel - 1) - 1) / stride) + 1.

    kernel_size, pad, stride and dilation hold one number for all spatial axes or one for each; kernel, pad and stride
    of two spatial axes may be spelt _h and _w instead, not both ways. engine and force_nd_im2col change no result.

    Differs from torch.nn.Conv2d: several bottoms, any channel axis, fields as Caffe spells them.
    """

    messages = ("convolution_param",)
    bottoms = Arity(1, None)
    tops = Arity(1, None)
    paired = True
    fresh_top = True

    def __init__(
        self,
        *,
        num_output: int | None = None,
        bias_term: bool = True,
        pad: Ints = (),
        kernel_size: Ints = (),
        group: int = 1,
        stride: Ints = (),
        weight_filler: Filler = Filler(),
        bias_filler: Filler = Filler(),
        pad_h: int = 0,
        pad_w: int = 0,
        kernel_h: int | None = None,
        kernel_w: int | None = None,
        stride_h: int | None = None,
        stride_w: int | None = None,
        engine: str = "DEFAULT",
        axis: int = 1,
        force_nd_im2col: bool = False,
        dilation: Ints = (),
    ) -> None:
        super().__init__()
        if not num_output:
            raise LayerError("needs num_output of at least 1")
        self.num_output, self.group, self.axis, self.bias_term = num_output, group, axis, bias_term
        self.weight_filler, self.bias_filler = weight_filler, bias_filler
        self.spellings = {
            "kernel_size": _one_spelling("kernel_size", kernel_size, "kernel_h", kernel_h, "kernel_w", kernel_w),
            "pad": _one_spelling("pad", pad, "pad_h", pad_h or None, "pad_w", pad_w or None),
            "stride": _one_spelling("stride", stride, "stride_h", stride_h, "stride_w", stride_w),
            "dilation": dilation,
        }

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Settle the geometry and make weight and bias."""
        super().setup(*bottoms, num_tops=num_tops)
        self.axis = canonical_axis(self.axis, bottoms[0])
        channels, spatial = bottoms[0][self.axis], len(bottoms[0]) - self.axis - 1
        if spatial > 3:
            raise LayerError(f"convolves at most 3 spatial axes, got {spatial} in bottom {times(bottoms[0])}")
        for role, count in (("channels of the bottom", channels), ("num_output", self.num_output)):
            if self.group < 1 or count % self.group:
                raise LayerError(f"group {self.group} does not divide the {count} {role}")
        self.kernel = self._per_axis("kernel_size", spatial, default=None)
        self.pad = self._per_axis("pad", spatial, default=0)
        self.stride = self._per_axis("stride", spatial, default=1)
        self.dilation = self._per_axis("dilation", spatial, default=1)
        if 0 in self.kernel + self.stride + self.dilation:
            raise LayerError(
                f"kernel {self.kernel}, stride {self.stride} and dilation {self.dilation} must be at least 1"
            )
        self.add_param((self.num_output, channels // self.group, *self.kernel), self.weight_filler)
        if self.bias_term:
            self.add_param((self.num_output,), self.bias_filler)

    def _per_axis(self, name: str, spatial: int, default: int | None) -> Ints:
        """A number for each spatial axis."""
        given = self.spellings[name]
        if not given and default is not None:
            given = (default,)
        numbers = given * spatial if len(given) == 1 else given
        if len(numbers) == spatial:
            return numbers
        raise LayerError(f"{name} is given {len(given)} time(s), not once, nor for each of {spatial} spatial axes")

    def _out(self, x: Shape) -> Ints:
        """The tops' spatial lengths."""
        size = x[self.axis + 1 :]
        reach = [dilation * (kernel - 1) + 1 for dilation, kernel in zip(self.dilation, self.kernel, strict=True)]
        room = [length + 2 * pad for length, pad in zip(size, self.pad, strict=True)]
        if any(have < need for have, need in zip(room, reach, strict=True)):
            raise LayerError(f"kernel spans {times(tuple(reach))}, the padded bottom has only {times(tuple(room))}")
        return tuple((have - need) // s + 1 for have, need, s in zip(room, reach, self.stride, strict=True))

    def multiply_adds(self, *bottoms: Shape) -> int:
        """Each number of a top takes one multiply-add for each weight of its filter."""
        batch = math.prod(bottoms[0][: self.axis])
        return len(bottoms) * batch * math.prod(self._out(bottoms[0])) * math.prod(self.param_shapes[0])

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        same_shapes(*(tuple(x.shape) for x in bottoms))
        return tuple(self._convolve(x) for x in bottoms)

    def _convolve(self, x: Tensor) -> Tensor:
        weight, *bias = self.params
        batch, channels = x.shape[: self.axis], weight.shape[1] * self.group
        if x.shape[self.axis] != channels:
            shape = times(tuple(x.shape))
            raise LayerError(f"was set up for {channels} channels at axis {self.axis}, the bottom is {shape}")
        top = (*batch, self.num_output, *self._out(tuple(x.shape)))
        if not self.kernel:  # no spatial axis: one of length 1 does the same
            x, weight = x[..., None], weight[..., None]
        if len(batch) != 1:
            x = x.reshape(math.prod(batch), *x.shape[self.axis :])
        convolve = _CONVOLVE[max(1, len(self.kernel))]
        y = convolve(
            x, weight, bias[0] if bias else None, self.stride or 1, self.pad or 0, self.dilation or 1, self.group
        )
        return y if y.shape == top else y.reshape(top)


def _one_spelling(name: str, values: Ints, name_h: str, h: int | None, name_w: str, w: int | None) -> Ints:
    """The numbers of one field, given as a list or for height and width."""
    if h is None and w is None:
        return values
    if values:
        raise LayerError(f"takes either {name} or {name_h} and {name_w}, not both")
    return (h or 0, w or 0)
