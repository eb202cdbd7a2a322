"""Accuracy."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, align_labels, canonical_axis, register, times


@register("Accuracy")
class AccuracyLayer(Layer):
    """The share of labels whose score is among the top_k highest.

    Bottoms: scores x (*outer, C, *inner), C at `axis`; labels of as many numbers as x has without the axis.
    Tops: accuracy (), and optionally the accuracy of each class (C,).
    A label is right if fewer than top_k other classes score at least as high: ties count against it. Labels that are
    ignore_label are left out; where no label is left the accuracy is 0.

    Differs from torch: it has no such layer. It has no backward, as in Caffe.
    """

    messages = ("accuracy_param",)
    bottoms = Arity(2, 2)
    tops = Arity(1, 2)
    undifferentiable = frozenset({0, 1})
    takes_class_scores = True

    def __init__(self, *, top_k: int = 1, axis: int = 1, ignore_label: int | None = None) -> None:
        super().__init__()
        self.top_k, self.axis, self.ignore_label = top_k, axis, ignore_label

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, labels = bottoms[0].detach(), bottoms[1]
        axis = canonical_axis(self.axis, tuple(x.shape))
        classes = x.shape[axis]
        if self.top_k > classes:
            raise LayerError(f"top_k {self.top_k} is more than the {classes} classes of {times(tuple(x.shape))}")
        label, valid = align_labels(labels, tuple(x.shape), axis, self.ignore_label)
        # The label itself is among those that score at least as high.
        others = (x >= x.gather(axis, label)).sum(axis, keepdim=True) - 1
        right = (others < self.top_k) & valid
        tops = [right.sum() / valid.sum().clamp(min=1)]
        if self.num_tops == 2:
            rights, labels_of = (_per_class(mask, label, classes) for mask in (right, valid))
            tops.append(rights / labels_of.clamp(min=1))
        return tuple(top.to(x.dtype) for top in tops)


def _per_class(mask: Tensor, label: Tensor, classes: int) -> Tensor:
    """How often each class is a label under the mask: (classes,)."""
    return torch.zeros(classes, device=label.device).scatter_add(0, label.flatten(), mask.flatten().float())
