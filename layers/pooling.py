"""Pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .base import Arity, Filler, Layer, LayerError, Shape, register, times

Pair = tuple[int, int]


@register("Pooling")
class PoolingLayer(Layer):
    """Reduce windows of each plane to their maximum, average, or a number drawn from them.

    Bottom: x (N, C, H, W). Tops: y (N, C, H', W'); with MAX optionally the mask (N, C, H', W'), where in its plane each
    maximum lies, as h * W + w; it passes no gradient. Of equal maxima the first one counts.
    H' = ceil((H + 2 pad - kernel) / stride) + 1, or floor with round_mode FLOOR (newer Caffe only).

    Clip rule: if either axis is padded, a last window that starts beyond the bottom (at H + pad or later in the padded
    plane) is dropped, on both axes. Without padding such a window stays. It is empty: AVE gives 0 / 0 = NaN, MAX the
    lowest float with mask -1, and its diff goes to the cell before its plane, the last one of the plane before, since
    Caffe's CPU code takes the mask as it is.
    AVE divides by the window's length clipped to H + pad: padding counts, what ceil adds beyond it does not.
    STOCHASTIC draws with probability x / sum(x) in TRAIN and gives sum(x²) / sum(x) in TEST; x must not be negative.
    global_pooling takes the whole plane as its one window.

    MAX picks nothing but what is above the lowest float: neither NaN nor -infinity; a window of such alone is an empty
    one.

    Differs from torch.nn.MaxPool2d: ceil by default, the clip rule only with padding, pad up to kernel - 1; NaN is not
    picked, save on a GPU and under torch.compile, where it spreads as in torch.
    """

    messages = ("pooling_param",)
    tops = Arity(1, 2)
    discrete = frozenset({1})
    fresh_top = True
    keeps_channels = True

    def __init__(
        self,
        *,
        pool: str = "MAX",
        kernel_size: int | None = None,
        stride: int = 1,
        pad: int = 0,
        kernel_h: int | None = None,
        kernel_w: int | None = None,
        stride_h: int | None = None,
        stride_w: int | None = None,
        pad_h: int = 0,
        pad_w: int = 0,
        engine: str = "DEFAULT",
        global_pooling: bool = False,
        round_mode: str = "CEIL",
        phase: str = "TEST",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.pool, self.round_mode, self.phase, self.generator = pool, round_mode, phase, generator
        self.kernel = None if global_pooling else _pair("kernel_size", kernel_size, kernel_h, kernel_w)
        self.stride = _pair("stride", None if stride == 1 and stride_h is not None else stride, stride_h, stride_w)
        self.pad = _pair("pad", (pad or None) if pad_h or pad_w else pad, pad_h, pad_w)
        self._check(kernel_size or kernel_h or kernel_w)

    def _check(self, kernel_given: int | None) -> None:
        if self.kernel is None and (kernel_given or self.pad != (0, 0) or self.stride != (1, 1)):
            raise LayerError("global_pooling takes the whole plane: leave out kernel, and keep pad 0 and stride 1")
        if self.kernel is not None and 0 in self.kernel + self.stride:
            raise LayerError(f"kernel {times(self.kernel)} and stride {times(self.stride)} must be at least 1")
        if self.kernel is not None and (self.pad[0] >= self.kernel[0] or self.pad[1] >= self.kernel[1]):
            raise LayerError(f"pad {times(self.pad)} must be smaller than kernel {times(self.kernel)}")
        if self.pool == "STOCHASTIC" and self.pad != (0, 0):
            raise LayerError("pad works with MAX and AVE only, not with STOCHASTIC")

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check what the mask needs."""
        super().setup(*bottoms, num_tops=num_tops)
        if num_tops == 2 and self.pool != "MAX":
            raise LayerError(f"has a second top, the mask, only with pool MAX, not with {self.pool}")
        self.takes_half = self.pool == "MAX" and num_tops == 1
        self.compiles = self.pool != "STOCHASTIC" and num_tops == 1

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if x.dim() != 4:
            raise LayerError(f"takes a bottom of 4 axes (N×C×H×W), got {times(tuple(x.shape))}")
        kernel = self.kernel or (x.shape[2], x.shape[3])
        windows = self._windows((x.shape[2], x.shape[3]), kernel)
        if self.pool == "AVE":
            return (self._average(x, kernel, windows),)
        if self.pool == "STOCHASTIC":
            return (self._stochastic(x, kernel, windows),)
        return self._maximum(x, kernel, windows)

    def _windows(self, size: Pair, kernel: Pair) -> Pair:
        """How many windows there are along height and width."""
        counts = []
        for length, k, s, p in zip(size, kernel, self.stride, self.pad, strict=True):
            room = length + 2 * p - k
            count = (room // s if self.round_mode == "FLOOR" else -(-room // s)) + 1
            # The clip rule, on both axes as soon as one is padded.
            if any(self.pad) and (count - 1) * s >= length + p:
                count -= 1
            counts.append(count)
        if min(counts) < 1:
            raise LayerError(f"kernel {times(kernel)} does not fit into the bottom's plane of {times(size)}")
        return counts[0], counts[1]

    def _is_native(self, x: Tensor, kernel: Pair, windows: Pair) -> bool:
        """Whether torch's ceil mode gives these windows: it drops all empty ones and pads by half a kernel at most."""
        axes = zip(x.shape[2:], kernel, windows, self.stride, self.pad, strict=True)
        return all(2 * p <= k and (count - 1) * s < length + p for length, k, count, s, p in axes)

    def _framed(self, x: Tensor, kernel: Pair, windows: Pair, value: float) -> Tensor:
        """The plane padded or cut so that exactly these windows cover it."""
        frame: list[int] = []
        for length, k, count, s, p in zip(x.shape[2:], kernel, windows, self.stride, self.pad, strict=True):
            frame = [p, (count - 1) * s + k - length - p, *frame]  # functional.pad counts from the last axis
        return functional.pad(x, frame, value=value)

    def _maximum(self, x: Tensor, kernel: Pair, windows: Pair) -> tuple[Tensor, ...]:
        if self._is_native(x, kernel, windows):
            ceil = self.round_mode == "CEIL"
            tops: tuple[Tensor, ...]
            if self.num_tops == 1:
                tops = (functional.max_pool2d(x, kernel, self.stride, self.pad, ceil_mode=ceil),)
            else:
                y, mask = functional.max_pool2d(x, kernel, self.stride, self.pad, ceil_mode=ceil, return_indices=True)
                tops = y, mask.to(x.dtype)
            if _all_picked(tops[0]):
                return tops
        lowest = torch.finfo(x.dtype).min
        framed = self._framed(torch.where(x > lowest, x.detach(), lowest), kernel, windows, lowest)
        y, index = functional.max_pool2d(framed, kernel, self.stride, return_indices=True)
        height, width = x.shape[2:]
        row, column = index // framed.shape[3] - self.pad[0], index % framed.shape[3] - self.pad[1]
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width) & (y > lowest)
        mask = torch.where(inside, row * width + column, -1)
        return (_routed(x, y, mask), mask.to(x.dtype))[: self.num_tops]

    def _average(self, x: Tensor, kernel: Pair, windows: Pair) -> Tensor:
        if self._is_native(x, kernel, windows):
            return functional.avg_pool2d(x, kernel, self.stride, self.pad, ceil_mode=self.round_mode == "CEIL")
        framed = self._framed(x, kernel, windows, 0.0)
        sums = functional.avg_pool2d(framed, kernel, self.stride, divisor_override=1)
        lengths = [
            [min(i * s + k, length + 2 * p) - i * s for i in range(count)]
            for length, k, count, s, p in zip(x.shape[2:], kernel, windows, self.stride, self.pad, strict=True)
        ]
        rows, columns = (torch.tensor(side, dtype=x.dtype, device=x.device) for side in lengths)
        return sums / (rows[:, None] * columns)

    def _stochastic(self, x: Tensor, kernel: Pair, windows: Pair) -> Tensor:
        framed = self._framed(x, kernel, windows, 0.0)
        cells = framed.unfold(2, kernel[0], self.stride[0]).unfold(3, kernel[1], self.stride[1]).flatten(4)
        if self.phase == "TEST":
            # FLT_MIN keeps a window of zeros from dividing by zero.
            return cells.square().sum(4) / (cells.sum(4) + torch.finfo(torch.float32).tiny)
        cumulated = cells.detach().cumsum(4)
        draw = torch.empty_like(cumulated[..., :1])
        Filler("uniform").fill(draw, self.generator)
        drawn = (cumulated >= draw * cumulated[..., -1:]).to(torch.uint8).argmax(4, keepdim=True)
        return cells.gather(4, drawn).squeeze(4)


def _all_picked(y: Tensor) -> bool:
    """Whether torch's maxima are Caffe's: none is NaN or -infinity. To look at a GPU's numbers would halt it."""
    if y.device.type != "cpu" or torch.compiler.is_compiling() or not y.numel():
        return True
    return bool(y.detach().amin() > torch.finfo(y.dtype).min)


class _Routed(torch.autograd.Function):
    """Maxima found before, whose diffs go where the mask says: -1, an empty window, is the cell before its plane."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.shape = x.shape
        return y.clone()

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        (mask,) = ctx.saved_tensors
        n, c, h, w = ctx.shape
        planes = torch.arange(n * c, device=mask.device).view(n, c, 1, 1) * (h * w)
        # One cell more in front takes what strays from the first plane, in Caffe memory of somebody else.
        dx = diffs[0].new_zeros(1 + n * c * h * w).index_add_(0, (planes + mask + 1).flatten(), diffs[0].flatten())
        return dx[1:].view(n, c, h, w), None, None


_routed: Callable[..., Tensor] = _Routed.apply


def _pair(name: str, both: int | None, height: int | None, width: int | None) -> Pair:
    """A length for height and width, spelt as one number or as two."""
    if both is not None and not height and not width:
        return both, both
    if both is None and height is not None and width is not None:
        return height, width
    base = name.removesuffix("_size")
    raise LayerError(f"needs {name}, or {base}_h and {base}_w, and not both")
