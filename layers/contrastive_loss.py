"""ContrastiveLoss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .base import Arity, LayerError, LossLayer, Shape, register, same_first_axis, times


@register("ContrastiveLoss")
class ContrastiveLossLayer(LossLayer):
    """Draw the items of similar pairs together, push those of dissimilar pairs a margin apart.

    Bottoms: a, b (N, C), axes of length 1 may follow; y, N numbers whose whole part is 0 for a dissimilar pair.
    Top: loss () = sum(e) / (2 N). At a distance d = |a - b| a similar pair has e = d², a dissimilar one
    e = max(margin - d, 0)², or max(margin - d², 0) with legacy_version. Both a and b get diffs.
    A dissimilar pair pushes by (margin - d) / (d + 1e-4) times a - b: the 1e-4, against d = 0, is Caffe's.

    Differs from torch: it has no such layer; torch.nn.CosineEmbeddingLoss takes angles, not distances.
    """

    messages = ("contrastive_loss_param",)
    bottoms = Arity(3, 3)
    unforced = frozenset({2})
    undifferentiable = frozenset()

    def __init__(self, *, margin: float = 1.0, legacy_version: bool = False) -> None:
        super().__init__()
        self.margin, self.legacy_version = margin, legacy_version

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        a, b, similar = bottoms
        _check(tuple(a.shape), tuple(b.shape), tuple(similar.shape))
        shape = a.shape[0], math.prod(a.shape[1:])
        difference = a.reshape(shape) - b.reshape(shape)
        is_similar = similar.detach().flatten().trunc() != 0
        return (_contrast(difference, is_similar, self.margin, self.legacy_version),)


def _check(a: Shape, b: Shape, similar: Shape) -> None:
    same_first_axis(a, b)
    same_first_axis(a, similar)
    if math.prod(a[1:2]) != math.prod(b[1:2]) or math.prod((*a[2:], *b[2:])) != 1:
        raise LayerError(f"takes a and b of one shape N×C, got {times(a)} and {times(b)}")
    if math.prod(similar[1:]) != 1:
        raise LayerError(f"takes one number for each of the {a[0]} pairs, got {times(similar)}")


class _Contrast(torch.autograd.Function):
    """The loss of differences (N, C); its backward has Caffe's 1e-4."""

    @staticmethod
    def forward(ctx: Any, difference: Tensor, similar: Tensor, margin: float, legacy: bool) -> Tensor:
        squared = difference.square().sum(1)
        distance = squared.sqrt()
        lack = margin - (squared if legacy else distance)
        pull = -1.0 if legacy else -lack / (distance + 1e-4)
        ctx.save_for_backward(difference, torch.where(similar, 1.0, torch.where(lack > 0, pull, 0.0)))
        apart = lack.clamp(min=0) if legacy else lack.clamp(min=0).square()
        return torch.where(similar, squared, apart).sum() / (2 * len(difference))

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        difference, pull = ctx.saved_tensors
        return diffs[0] / len(difference) * pull[:, None] * difference, None, None, None


_contrast: Callable[..., Tensor] = _Contrast.apply
