"""HingeLoss."""

from __future__ import annotations

from torch import Tensor

from .base import LossLayer, item_labels, refuse_unknown_classes, register


@register("HingeLoss")
class HingeLossLayer(LossLayer):
    """How far scores stay within the margin of one-against-all classification.

    Bottoms: scores x (N, ...), the D numbers of an item being its classes; labels, one an item, from 0 to D - 1.
    Top: loss (). With s = -1 at the label and 1 elsewhere, and e = max(0, 1 + s x): loss = sum(e) / N (norm L1) or
    sum(e²) / N (L2).

    Differs from torch.nn.MultiMarginLoss: each score is held against 0, not against the label's score.
    Differs from Caffe: a label outside 0..D-1, or more labels than items, are refused.
    """

    messages = ("hinge_loss_param",)
    takes_class_scores = True

    def __init__(self, *, norm: str = "L1") -> None:
        super().__init__()
        self.norm = norm

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, labels = bottoms
        shape = tuple(x.shape)
        label = item_labels(labels, shape)
        scores = x.reshape(len(x), -1)  # (N, D); scores of one axis are of one class
        with refuse_unknown_classes(shape, scores.shape[1]):
            sign = scores.new_ones(scores.shape).scatter(1, label, -1)
        errors = (1 + sign * scores).relu()
        return ((errors.sum() if self.norm == "L1" else errors.square().sum()) / len(x),)
