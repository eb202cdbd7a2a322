"""AnchorTargetLayer of py-faster-rcnn and py-R-FCN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register
from .boxes import (
    DEFAULT_SEED,
    RATIOS,
    SCALES,
    AnchorGrid,
    AnchorRule,
    ground_truth,
    image_info,
    inside,
    single_item,
    usable,
)

Four = tuple[float, float, float, float]


@register("rpn.anchor_target_layer.AnchorTargetLayer")
class AnchorTargetLayer(Layer):
    """Label anchors as object, background or neither, and give each the deltas to its nearest truth.

    Bottoms: a blob of the RPN's map (1×C×H×W, only H and W count), gt_boxes (K×5: x1, y1, x2, y2, class),
    im_info (1×3: height, width, scale), and the picture, which is not read.
    Tops: labels (1×1×(A*H)×W: 1, 0 or -1), bbox_targets, bbox_inside_weights, bbox_outside_weights (each 1×4A×H×W).

    1. Anchors reaching over the picture's edge by more than allowed_border have label -1 and zeros throughout.
    2. The others are labelled by their overlap with the truths (`AnchorRule.label`); an anchor with the most overlap of
       some truth is positive whatever the overlap. All of equal ones are.
    3. Surplus positives, then surplus negatives are drawn and become -1.
    4. Targets are the deltas to the truth with the most overlap, for every anchor inside, sampled or not.
    5. Inside weights are rpn_bbox_inside_weights for positives. Outside weights are 1 / (positives + negatives) for
       both, or rpn_positive_weight shared by the positives and the rest of 1 by the negatives.

    Truths that are not finite or have no area (x2 < x1: a width below 1) are left out. Without any truth, all anchors
    inside are negative; without any anchor inside, all labels are -1. (The originals fail there.)
    `ratios` and `base_size` are not in the originals; rpn_normalize_* are py-R-FCN's.
    """

    config: ClassVar[Mapping[str, str]] = {
        name: f"TRAIN.{name.upper()}"
        for name in (
            "rpn_positive_overlap",
            "rpn_negative_overlap",
            "rpn_clobber_positives",
            "rpn_fg_fraction",
            "rpn_batchsize",
            "rpn_bbox_inside_weights",
            "rpn_positive_weight",
            "rpn_normalize_targets",
            "rpn_normalize_means",
            "rpn_normalize_stds",
        )
    }
    bottoms = Arity(3, 4)
    tops = Arity(4, 4)
    discrete = frozenset({0})

    def __init__(
        self,
        feat_stride: float,
        scales: Sequence[float] = SCALES,
        ratios: Sequence[float] = RATIOS,
        base_size: float = 16,
        allowed_border: float = 0,
        rpn_positive_overlap: float = 0.7,
        rpn_negative_overlap: float = 0.3,
        rpn_clobber_positives: bool = False,
        rpn_fg_fraction: float = 0.5,
        rpn_batchsize: int = 256,
        rpn_bbox_inside_weights: Four = (1.0, 1.0, 1.0, 1.0),
        rpn_positive_weight: float = -1.0,
        rpn_normalize_targets: bool = False,
        rpn_normalize_means: Four = (0.0, 0.0, 0.0, 0.0),
        rpn_normalize_stds: Four = (0.1, 0.1, 0.2, 0.2),
        rng: np.random.RandomState | None = None,
    ) -> None:
        super().__init__()
        if rpn_positive_weight >= 0 and not 0 < rpn_positive_weight < 1:
            raise LayerError(
                f"RPN_POSITIVE_WEIGHT must be negative (uniform) or within 0 and 1, got {rpn_positive_weight}"
            )
        self.anchors = AnchorGrid(feat_stride, scales, ratios, base_size)
        self.rule = AnchorRule(
            rpn_positive_overlap, rpn_negative_overlap, rpn_batchsize, rpn_fg_fraction, rpn_clobber_positives
        )
        self.allowed_border = allowed_border
        self.inside_weights = rpn_bbox_inside_weights
        self.positive_weight = rpn_positive_weight
        self.normalization = (rpn_normalize_means, rpn_normalize_stds) if rpn_normalize_targets else None
        self.rng = rng or np.random.RandomState(DEFAULT_SEED)

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        height, width = bottoms[0][-2:]
        count = len(self.anchors)
        return ((1, 1, count * height, width), *[(1, 4 * count, height, width)] * 3)

    @torch.no_grad()
    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        scores, gt_boxes, im_info = bottoms[:3]
        single_item(scores)
        picture_height, picture_width, _ = image_info(im_info)
        # A truth is five numbers and a draw is NumPy's: this layer works on the CPU whatever the device.
        truths = usable(ground_truth(gt_boxes).cpu(), plus=1)
        height, width = scores.shape[-2:]
        anchors = self.anchors.over(height, width, torch.device("cpu"))
        fits = inside(anchors, picture_height, picture_width, self.allowed_border)
        labels, targets = self.rule.assign(anchors, fits, truths, self.rng)
        if self.normalization:
            means, stds = (torch.tensor(values, dtype=torch.float64) for values in self.normalization)
            # Rounded to float32 after each step, as NumPy does in place.
            targets = torch.where(fits[:, None], ((targets - means).float() / stds).float(), targets)
        weights = self._inside_weights(labels), self._outside_weights(labels)
        label_map = (
            labels.view(height, width, len(self.anchors)).permute(2, 0, 1).reshape(1, 1, -1, width)
        )  # H*W*A -> 1×1×(A*H)×W
        maps = [rows.reshape(1, height, width, -1).permute(0, 3, 1, 2) for rows in (targets, *weights)]  # -> 1×4A×H×W
        return tuple(top.to(scores.device) for top in (label_map, *maps))

    def _inside_weights(self, labels: Tensor) -> Tensor:
        return (labels == 1).float()[:, None] * torch.tensor(self.inside_weights)  # (N, 1) * (4,) -> (N, 4)

    def _outside_weights(self, labels: Tensor) -> Tensor:
        positive, negative = labels == 1, labels == 0
        positives, negatives = int(positive.sum()), int(negative.sum())
        if self.positive_weight < 0:
            shares = (1 / max(1, positives + negatives),) * 2
        else:
            shares = self.positive_weight / max(1, positives), (1 - self.positive_weight) / max(1, negatives)
        return (positive * shares[0] + negative * shares[1])[:, None].expand(-1, 4)
