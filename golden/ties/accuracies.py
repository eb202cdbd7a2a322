"""Accuracies: whether the golden's is one of those that equal scores allow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...layers import AccuracyLayer, Layer, canonical_axis
from .tie import Choice, GoldenSide

_WHOLE = 0.05
"""How far a count may lie from a whole number, being a quotient times its divisor."""


@torch.no_grad()
def follow_accuracy(
    layer: Layer, bottoms: Sequence[Tensor], tops: Sequence[Tensor], golden: GoldenSide, allowed: float
) -> Choice | None:
    """The golden's accuracies, where labels that tie with other classes may be counted so."""
    assert isinstance(layer, AccuracyLayer)
    x, labels = bottoms
    axis = canonical_axis(layer.axis, tuple(x.shape))
    theirs = x if golden.bottoms is None else golden.bottoms[0]
    if theirs.shape != x.shape:
        return None
    label = labels.reshape([1 if i == axis else n for i, n in enumerate(x.shape)]).long().clamp(0, x.shape[axis] - 1)
    score, golden_score = x.gather(axis, label), theirs.gather(axis, label)
    x = torch.where(theirs == golden_score, score, x)
    above = x.scatter(axis, label, torch.nextafter(score, torch.full_like(score, torch.inf)))
    least, most = layer.forward(x, labels), layer.forward(above, labels)
    if not _between(least, most, golden.tops, _labels(layer, x, labels)):
        return None
    better, equal = ((some.sum(axis, keepdim=True)).flatten() for some in (x > score, x == score))
    tied = (better < layer.top_k) & (better + equal > layer.top_k)
    if layer.ignore_label is not None:
        tied &= labels.flatten() != layer.ignore_label
    first = int(tied.int().argmax())
    text = f"{int(tied.sum())} of {len(tied)} labels are right or wrong by the order of equal scores"
    place = f"the label of item {first}"
    return Choice(golden.tops, text, (place, "another class"), float(golden_score.flatten()[first]))


def _labels(layer: AccuracyLayer, x: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
    """How many labels the accuracies are parts of, each."""
    counted = labels.flatten().long()
    counted = counted[counted != layer.ignore_label] if layer.ignore_label is not None else counted
    classes = torch.bincount(counted, minlength=x.shape[canonical_axis(layer.axis, tuple(x.shape))])
    return (classes.sum(), classes)[: layer.num_tops]


def _between(
    least: Sequence[Tensor], most: Sequence[Tensor], wanted: Sequence[Tensor], labels: Sequence[Tensor]
) -> bool:
    """Whether the golden's counts are whole, possible, and one and the same in both tops."""
    counts = [want * count for want, count in zip(wanted, labels, strict=True)]
    for low, high, count, number in zip(least, most, counts, labels, strict=True):
        whole = (count - count.round()).abs() <= _WHOLE
        possible = (count.round() >= (low * number).round()) & (count.round() <= (high * number).round())
        if not (whole & possible).all():
            return False
    return len(counts) == 1 or bool(counts[0].round() == counts[1].round().sum())
