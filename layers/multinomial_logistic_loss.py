"""MultinomialLogisticLoss."""

from __future__ import annotations

from torch import Tensor

from .base import LOG_THRESHOLD, LossLayer, floored, item_labels, refuse_unknown_classes, register


@register("MultinomialLogisticLoss")
class MultinomialLogisticLossLayer(LossLayer):
    """The mean negative log likelihood of the labels, where the bottom holds probabilities already.

    Bottoms: probabilities p (N, ...), the D numbers of an item being its classes; labels, one an item, from 0 to D - 1.
    Top: loss () = -sum log q / N, q = max(p[label], 1e-20); dp[label] = -1 / (N q), also below the floor.

    Differs from torch.nn.NLLLoss: takes probabilities, not their logarithms; the floor.
    Differs from Caffe: a label outside 0..D-1 is refused.
    """

    takes_class_scores = True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        p, labels = bottoms
        shape = tuple(p.shape)
        label = item_labels(labels, shape)
        likelihoods = p.reshape(len(p), -1)  # (N, D); scores of one axis are of one class
        with refuse_unknown_classes(shape, likelihoods.shape[1]):
            picked = likelihoods.gather(1, label)
        return (-floored(picked, LOG_THRESHOLD).log().sum() / len(p),)
