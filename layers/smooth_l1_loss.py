"""SmoothL1Loss."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from .base import Arity, LayerError, LossLayer, Shape, register, same_shapes


@register("SmoothL1Loss")
class SmoothL1LossLayer(LossLayer):
    """The box regression loss of Fast R-CNN: squared near zero, linear beyond.

    Bottoms: prediction x, target t, and optionally inside weights w_in and outside weights w_out, all (N, ...).
    Top: loss () = sum(w_out * f(w_in * (x - t))) / N,
    f(d) = sigma² d² / 2 where |d| < 1 / sigma², else |d| - 1 / (2 sigma²); 0 everywhere if sigma is 0.
    N is 1 for the RPN's maps and the number of RoIs in the head, where a loss without any is 0. x and t both get diffs,
    the weights none.
    It does not count into the net's loss unless the prototxt gives it a loss_weight: unlike other losses in Caffe, it
    sets no weight of its own.

    Differs from torch.nn.SmoothL1Loss: weights, sigma = 1 / sqrt(beta), the sum is divided by N alone.
    """

    messages = ("smooth_l1_loss_param",)
    bottoms = Arity(2, 4)
    is_loss = False
    unforced = frozenset()
    undifferentiable = frozenset()

    def __init__(self, *, sigma: float = 1.0) -> None:
        super().__init__()
        self.beta = 1 / sigma**2 if sigma else math.inf

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Refuse inside weights without outside weights."""
        super().setup(*bottoms, num_tops=num_tops)
        if len(bottoms) == 3:
            raise LayerError("takes 2 bottoms, or 4 with inside and outside weights, got 3")

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # Axes of length 1 that one bottom lacks at its end do not count: N×84 agrees with N×84×1×1.
        same_shapes(*(tuple(b.shape) + (1,) * (4 - b.dim()) for b in bottoms))
        x, target, *weights = (b.reshape(bottoms[0].shape) for b in bottoms)
        inside, outside = (w.detach() for w in weights) if weights else (1.0, 1.0)
        d = (x - target) * inside
        error = functional.smooth_l1_loss(d, d.new_zeros(()).expand_as(d), reduction="none", beta=self.beta)
        return ((error * outside).sum() / max(1, x.shape[0]),)
