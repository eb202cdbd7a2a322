"""InfogainLoss."""

from __future__ import annotations

import math

from torch import Tensor

from .base import (
    LOG_THRESHOLD,
    Arity,
    LayerError,
    LossLayer,
    Normalizer,
    Shape,
    align_labels,
    canonical_axis,
    floored,
    refuse_unknown_classes,
    register,
    same_first_axis,
    times,
)


@register("InfogainLoss")
class InfogainLossLayer(LossLayer):
    """The negative log likelihood of all classes, weighted by the row of a matrix that the label picks.

    Bottoms: scores x (*outer, K, *inner), K at `axis`; labels of as many numbers as x has without the axis, whole
    numbers from 0 to K - 1 or ignore_label; and the infogain matrix H, K * K numbers in any shape, unless `source`
    gives it: the blob of the binaryproto that the field of this name points to.
    Tops: loss (), and optionally the probabilities p (x's shape), which pass no gradient.
    p = softmax of x; loss = -sum(H[label] log max(p, 1e-20)) / divisor over the labels not ignored (divisor: see
    Normalizer); dx = (p sum(H[label]) - H[label]) / divisor, also where the floor holds the loss.
    With H the unit matrix it is SoftmaxWithLoss, but for the floor.

    Differs from torch: it has no such layer.
    Differs from Caffe: force_backward leaves H alone (Caffe dies in backward); a label outside 0..K-1 is refused.
    """

    messages = ("infogain_loss_param", "loss_param")
    bottoms = Arity(2, 3)
    tops = Arity(1, 2)
    unforced = frozenset({1, 2})
    undifferentiable = frozenset({1, 2})
    takes_class_scores = True
    matrix: Tensor | None

    def __init__(
        self,
        *,
        source: Tensor | None = None,
        axis: int = 1,
        ignore_label: int | None = None,
        normalize: bool | None = None,
        normalization: str = "VALID",
        pre_fixed_normalizer: float = 1.0,
    ) -> None:
        super().__init__()
        if normalize is not None:
            raise LayerError("does not know normalize: normalization VALID is its true, BATCH_SIZE its false")
        self.axis, self.ignore_label = axis, ignore_label
        self.normalizer = Normalizer(normalization, None, pre_fixed_normalizer)
        self.register_buffer("matrix", source, persistent=False)

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check that there is a matrix."""
        super().setup(*bottoms, num_tops=num_tops)
        if len(bottoms) == 2 and self.matrix is None:
            raise LayerError("needs the infogain matrix: as bottom 2, or a binaryproto as infogain_loss_param.source")

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, labels, *given = bottoms
        shape = tuple(x.shape)
        same_first_axis(shape, tuple(labels.shape))
        axis = canonical_axis(self.axis, shape)
        classes = shape[axis]
        label, valid = align_labels(labels, shape, axis, self.ignore_label)
        with refuse_unknown_classes(shape, classes):
            rows = self._matrix(given, x, classes).index_select(0, label.flatten())
        # (*outer * 1 * *inner, K) -> (*outer, *inner, K) -> (*outer, K, *inner)
        rows = rows.view(*shape[:axis], *shape[axis + 1 :], classes).movedim(-1, axis)
        log_likelihood = x.log_softmax(axis)
        divisor = self.normalizer.divisor(math.prod(shape[:axis]), math.prod(shape[axis + 1 :]), valid.sum())
        loss = -(rows * floored(log_likelihood, math.log(LOG_THRESHOLD)) * valid).sum() / divisor
        return (loss, log_likelihood.detach().exp())[: self.num_tops]

    def _matrix(self, given: list[Tensor], x: Tensor, classes: int) -> Tensor:
        """H as (K, K): that of the third bottom, where there is one."""
        matrix = given[0].detach() if given else self.matrix
        if matrix is None:
            raise LayerError("was set up with an infogain matrix as bottom 2, which is missing")
        if matrix.numel() != classes**2:
            shapes = f"{times(tuple(matrix.shape))} for scores {times(tuple(x.shape))}"
            raise LayerError(f"takes an infogain matrix of {classes}×{classes} numbers, got {shapes}")
        return matrix.to(x).reshape(classes, classes)
