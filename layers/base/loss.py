"""What loss layers share: which bottoms get diffs, what a sum of errors is divided by, how labels are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from .layer import Arity, Layer, LayerError, Shape
from .shapes import times

LOG_THRESHOLD = 1e-20
"""The least likelihood whose logarithm is taken, but for SoftmaxWithLoss's."""


class LossLayer(Layer):
    """A layer whose first top is a loss of no axes; bottom 0 holds predictions, bottom 1 what they should be.

    Its forward gives the plain loss; the net applies loss_weight.
    """

    bottoms = Arity(2, 2)
    is_loss = True
    names_missing_tops = True
    unforced = frozenset({1})
    undifferentiable = frozenset({1})


class Normalizer:
    """The LossParameter fields that choose the divisor.

    FULL: every prediction (outer * inner); VALID: those whose label is not ignored; BATCH_SIZE: outer; NONE: 1;
    PRE_FIXED: pre_fixed_normalizer. Never less than 1, so that a loss without valid labels is 0.
    The older `normalize` decides (true: VALID, false: BATCH_SIZE) where `normalization` is not given; `given` holds the
    names of the fields that are, since a given VALID looks like the default.
    """

    def __init__(
        self,
        normalization: str = "VALID",
        normalize: bool | None = None,
        pre_fixed_normalizer: float = 1.0,
        given: frozenset[str] = frozenset(),
    ) -> None:
        is_older = normalize is not None and normalization == "VALID" and "normalization" not in given
        self.mode = ("VALID" if normalize else "BATCH_SIZE") if is_older else normalization
        self.pre_fixed = pre_fixed_normalizer

    def divisor(self, outer: int, inner: int, valid: Tensor) -> Tensor | float:
        """The divisor of a loss over outer items of inner predictions, `valid` of them with a label that counts."""
        if self.mode == "VALID":
            return valid.clamp(min=1)
        sizes = {"FULL": outer * inner, "BATCH_SIZE": outer, "NONE": 1, "PRE_FIXED": self.pre_fixed}
        return max(1.0, sizes[self.mode])


def same_first_axis(predictions: Shape, labels: Shape) -> None:
    """Refuse labels for another number of items."""
    if not predictions or not labels or predictions[0] != labels[0]:
        raise LayerError(
            f"takes predictions and labels of one first axis, got {times(predictions)} and {times(labels)}"
        )


def align_labels(labels: Tensor, scores: Shape, axis: int, ignore_label: int | None) -> tuple[Tensor, Tensor]:
    """Labels as indices along the axis of the scores, 0 where ignored, and which are not: both (*outer, 1, *inner)."""
    shape = (*scores[:axis], 1, *scores[axis + 1 :])
    if labels.numel() != math.prod(shape):
        wanted = f"{math.prod(shape)} labels for scores {times(scores)} with axis {axis}"
        raise LayerError(f"takes {wanted}, got {times(tuple(labels.shape))}")
    label = labels.detach().reshape(shape).long()
    if ignore_label is None:
        return label, torch.ones_like(label, dtype=torch.bool)
    valid = label != ignore_label
    return label * valid, valid


@contextmanager
def refuse_unknown_classes(scores: Shape, classes: int) -> Iterator[None]:
    """Say which labels there may be where one is met that indexes no class."""
    try:
        yield
    except (IndexError, RuntimeError) as error:
        if "out of bounds" not in str(error) and "out of range" not in str(error):
            raise
        raise LayerError(f"a label is not in 0..{classes - 1}, the classes of scores {times(scores)}") from error


def item_labels(labels: Tensor, scores: Shape) -> Tensor:
    """One label for each item, as indices (N, 1)."""
    same_first_axis(scores, tuple(labels.shape))
    if labels.numel() != scores[0]:
        raise LayerError(f"takes one label an item, {scores[0]} in all, got {times(tuple(labels.shape))}")
    return labels.detach().reshape(-1, 1).long()


class _Floored(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, floor: float) -> Tensor:
        return x.clamp(min=floor)

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        return diffs[0], None


floored: Callable[[Tensor, float], Tensor] = _Floored.apply
"""Raise numbers to a floor whose diffs pass as if it were not there, as in Caffe's losses."""
