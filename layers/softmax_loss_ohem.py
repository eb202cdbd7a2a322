"""SoftmaxWithLossOHEM."""

from __future__ import annotations

from .base import Arity, register
from .softmax_loss import SoftmaxWithLossLayer


@register("SoftmaxWithLossOHEM")
class SoftmaxWithLossOHEMLayer(SoftmaxWithLossLayer):
    """SoftmaxWithLoss that also gives every label's own loss, by which OHEM picks the hard RoIs.

    Bottoms, fields and gradient: as SoftmaxWithLoss has them.
    Tops: loss (), and optionally the probabilities p (as the scores) and the losses (as the labels): each label's
    -log max(p[label], FLT_MIN), not divided, 0 where ignored. Only the first passes a gradient.
    """

    tops = Arity(1, 3)
