"""SigmoidCrossEntropyLoss."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .base import LayerError, LossLayer, Normalizer, register, same_first_axis, times


@register("SigmoidCrossEntropyLoss")
class SigmoidCrossEntropyLossLayer(LossLayer):
    """The cross entropy between targets and the sigmoids of the scores, each number a yes or no of its own.

    Bottoms: scores x (N, ...); targets t, as many numbers in any shape (N, ...), probabilities from 0 to 1.
    Top: loss () = -sum(t log p + (1 - t) log(1 - p)) / divisor, p = 1 / (1 + exp(-x)); dx = (p - t) / divisor.
    Targets whose whole part is ignore_label are left out: 0.5 is too where ignore_label is 0.
    divisor: see Normalizer; outer is N. Unless normalization or normalize is given it is BATCH_SIZE, not VALID.

    Differs from torch.nn.BCEWithLogitsLoss: the divisor, ignore_label. It is as stable.
    """

    messages = ("loss_param",)

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
        self.ignore_label = ignore_label
        # normalize: false means BATCH_SIZE, which is this layer's default.
        self.normalizer = Normalizer(normalization, bool(normalize), pre_fixed_normalizer, given)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, targets = bottoms
        same_first_axis(tuple(x.shape), tuple(targets.shape))
        if targets.numel() != x.numel():
            shapes = f"{times(tuple(x.shape))} and {times(tuple(targets.shape))}"
            raise LayerError(f"takes as many targets as scores, got {shapes}")
        target = targets.detach().reshape(x.shape)
        errors = functional.binary_cross_entropy_with_logits(x, target, reduction="none")
        valid = torch.ones_like(target, dtype=torch.bool)
        if self.ignore_label is not None:
            valid = target.trunc() != self.ignore_label
        divisor = self.normalizer.divisor(x.shape[0], math.prod(x.shape[1:]), valid.sum())
        return (torch.where(valid, errors, 0).sum() / divisor,)
