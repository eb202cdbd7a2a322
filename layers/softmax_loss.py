"""SoftmaxWithLoss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .base import (
    Arity,
    LossLayer,
    Normalizer,
    align_labels,
    canonical_axis,
    refuse_unknown_classes,
    register,
    same_first_axis,
)


@register("SoftmaxWithLoss")
class SoftmaxWithLossLayer(LossLayer):
    """The mean negative log likelihood of the labels under the softmax of the scores.

    Bottoms: scores x (*outer, C, *inner), C at `axis`; labels of as many numbers as x has without the axis, such as
    (*outer, 1, *inner) or (*outer, *inner), whole numbers from 0 to C - 1 or ignore_label.
    Tops: loss (), and optionally the probabilities p (x's shape), which pass no gradient.
    loss = -sum log max(p[label], FLT_MIN) / divisor over the labels not ignored (divisor: see Normalizer);
    dx = (p - onehot(label)) / divisor, 0 where ignored, also where the floor FLT_MIN holds the loss.

    Differs from torch.nn.CrossEntropyLoss: the floor, labels as floats, divisors other than the mean, never NaN without
    valid labels. Differs from Caffe: two tops work with and without loss_weight; a label outside 0..C-1 is refused.
    """

    messages = ("softmax_param", "loss_param")
    tops = Arity(1, 2)
    takes_class_scores = True

    def __init__(
        self,
        *,
        engine: str = "DEFAULT",
        axis: int = 1,
        ignore_label: int | None = None,
        normalize: bool | None = None,
        normalization: str = "VALID",
        pre_fixed_normalizer: float = 1.0,
        given: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self.axis, self.ignore_label = axis, ignore_label
        self.normalizer = Normalizer(normalization, normalize, pre_fixed_normalizer, given)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, labels = bottoms
        same_first_axis(tuple(x.shape), tuple(labels.shape))
        axis = canonical_axis(self.axis, tuple(x.shape))
        label, valid = align_labels(labels, tuple(x.shape), axis, self.ignore_label)
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        divisor = self.normalizer.divisor(outer, inner, valid.sum())
        with refuse_unknown_classes(tuple(x.shape), x.shape[axis]):
            loss, probabilities, losses = _softmax_loss(x, label, valid, divisor, axis)
        return (loss, probabilities, losses.reshape(labels.shape))[: self.num_tops]


class _SoftmaxLoss(torch.autograd.Function):
    """Caffe's backward is that of the loss without its floor; torch's would be 0 below the floor."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, label: Tensor, valid: Tensor, divisor: Tensor | float, axis: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        probabilities = x.softmax(axis)
        likelihood = probabilities.gather(axis, label).clamp(min=torch.finfo(torch.float32).tiny)
        ctx.save_for_backward(probabilities, label, valid)
        ctx.divisor, ctx.axis = divisor, axis
        losses = -likelihood.log() * valid  # (*outer, 1, *inner)
        ctx.mark_non_differentiable(probabilities, losses)
        return losses.sum() / divisor, probabilities, losses

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        probabilities, label, valid = ctx.saved_tensors
        one = torch.full_like(label, -1, dtype=probabilities.dtype)
        dx = probabilities.scatter_add(ctx.axis, label, one) * valid
        return dx * (diffs[0] / ctx.divisor), None, None, None, None


_softmax_loss: Callable[..., tuple[Tensor, Tensor, Tensor]] = _SoftmaxLoss.apply
