"""SmoothL1LossOHEM."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .base import Arity, LossLayer, Normalizer, register, same_shapes


@register("SmoothL1LossOHEM")
class SmoothL1LossOHEMLayer(LossLayer):
    """R-FCN's box regression loss, which also gives every RoI's own loss.

    Bottoms: prediction x, target t, and optionally weights w, all (N, C, H, W) or with axes of length 1 left out at
    the end.
    Tops: loss () = sum f(w * (x - t)) / divisor, and optionally the losses (N, 1, H, W): f summed over the channels,
    not divided, which pass no gradient.
    f(d) = d² / 2 where |d| < 1, else |d| - 1 / 2; the divisor is the Normalizer's for N items of H * W predictions,
    all of them valid.

    Caffe's oddities, kept: the gradient, clip(w * (x - t), -1, 1) / divisor for x and its negative for t, lacks a
    factor w, so it is right for weights 0 and 1 only; sigma is always 1; it does not count into the net's loss unless
    the prototxt gives it a loss_weight.
    Differs from SmoothL1Loss: all of that, and one weight, inside.
    """

    messages = ("loss_param",)
    bottoms = Arity(2, 3)
    tops = Arity(1, 2)
    is_loss = False
    unforced = frozenset()
    undifferentiable = frozenset()

    def __init__(
        self,
        *,
        ignore_label: int | None = None,
        normalize: bool | None = None,
        normalization: str = "VALID",
        pre_fixed_normalizer: float = 1.0,
        given: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self.normalizer = Normalizer(normalization, normalize, pre_fixed_normalizer, given)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        shapes = [(*b.shape, *(1,) * (4 - b.dim())) for b in bottoms]
        same_shapes(*shapes)
        x, target, *weights = (b.reshape(shapes[0]) for b in bottoms)  # (N, C, H, W)
        outer, inner = x.shape[0], math.prod(x.shape[2:])
        divisor = self.normalizer.divisor(outer, inner, torch.tensor(outer * inner))
        loss, losses = _smooth_l1(x, target, weights[0] if weights else 1.0, divisor)
        return (loss, losses)[: self.num_tops]


class _SmoothL1(torch.autograd.Function):
    """Caffe's backward lacks the inner derivative, the weights; torch's would have it."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, target: Tensor, weights: Tensor | float, divisor: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        d = (x - target) * weights
        errors = functional.smooth_l1_loss(d, torch.zeros_like(d), reduction="none")
        losses = errors.sum(1, keepdim=True)  # (N, 1, H, W)
        ctx.save_for_backward(d)
        ctx.divisor = divisor
        ctx.mark_non_differentiable(losses)
        return losses.sum() / divisor, losses

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        (d,) = ctx.saved_tensors
        dx = d.clamp(-1, 1) * (diffs[0] / ctx.divisor)
        return dx, -dx, None, None


_smooth_l1: Callable[..., tuple[Tensor, Tensor]] = _SmoothL1.apply
