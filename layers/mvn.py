"""MVN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .base import Layer, LayerError, Overwritten, register, times


@register("MVN")
class MVNLayer(Layer):
    """Give every channel of every item the mean 0 and, if normalize_variance, the deviation 1.

    Bottom: x (N, C, H, W), or fewer axes. Top: y (N, C, H, W), with missing axes of length 1.
    y = (x - mean(x)) / d, d = sqrt(mean((x - mean(x))²)) + eps, means over H and W, with across_channels over C too.
    dx = (dy - mean(dy) - y * mean(y * dy)) / d, which takes eps for 0 but in d: huge, not NaN, where all x are equal.

    Differs from torch.nn.InstanceNorm2d and torch.nn.LayerNorm: eps outside the root; the top always has four axes.
    Differs from Caffe: in place, too, the diff is right; Caffe's overwrites the top's diff while it still needs it, as
    faithful_inplace does.
    """

    writes_unasked = True
    messages = ("mvn_param",)
    in_place = True

    def __init__(self, *, normalize_variance: bool = True, across_channels: bool = False, eps: float = 1e-9) -> None:
        super().__init__()
        self.normalize_variance, self.eps = normalize_variance, eps
        self.dims = (1, 2, 3) if across_channels else (2, 3)
        if normalize_variance:
            self.backward_reads = frozenset({"bottom", "whole top"})

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if x.dim() > 4:
            raise LayerError(f"takes a bottom of at most 4 axes, got {times(tuple(x.shape))}")
        x = _with_four_axes(x)
        return (_normalize(x, self.dims, self.eps) if self.normalize_variance else x - x.mean(self.dims, keepdim=True),)

    def caffe_backward(self, diff: Tensor, data: Overwritten) -> Tensor:
        """The diff as above, of the overwritten y; in place each step is put where dy was, and the next reads it."""
        x, top = _with_four_axes(data.true_bottom), data.top
        deviation = (x - x.mean(self.dims, keepdim=True)).square().mean(self.dims, keepdim=True).sqrt() + self.eps
        slope = top * (top * diff).sum(self.dims, keepdim=True)
        if data.in_place:
            count = x[0].numel() if 1 in self.dims else x[0, 0].numel()
            # Without MKL -1/m dy + dy is two steps, of which the second finds the first's result in dy's place.
            return -2 / count * (slope + slope.sum(self.dims, keepdim=True)) / deviation
        mean, slope = diff.mean(self.dims, keepdim=True), top * (top * diff).mean(self.dims, keepdim=True)
        return (diff - mean - slope) / deviation


def _with_four_axes(x: Tensor) -> Tensor:
    return x.reshape(*x.shape, *(1,) * (4 - x.dim()))


class _Normalize(torch.autograd.Function):
    """Caffe's backward leaves eps out of the derivative of the deviation; torch's would not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
        centred = x - x.mean(dims, keepdim=True)
        deviation = centred.square().mean(dims, keepdim=True).sqrt() + eps
        top = centred / deviation
        ctx.save_for_backward(top, deviation)
        ctx.dims = dims
        return top

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        (diff,), (top, deviation) = diffs, ctx.saved_tensors
        mean, slope = (terms.mean(ctx.dims, keepdim=True) for terms in (diff, top * diff))
        return (diff - mean - top * slope) / deviation, None, None


_normalize: Callable[..., Tensor] = _Normalize.apply
