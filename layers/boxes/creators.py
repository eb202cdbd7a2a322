"""The y-first counterparts of the RPN layers, as ChainerCV and simple-faster-rcnn-pytorch have them.

Boxes are (y1, x1, y2, x2) edges: no +1 in any width, and clipping to the picture's full height and width. The rules are
those of Caffe's layers, with this convention: the same anchors drawn from the same generator state.
Tensors in, tensors out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..proposal import ProposalRule
from . import arithmetic as boxes
from .anchors import inside
from .sampling import DEFAULT_SEED, AnchorRule, RoIRule, overlap, usable

EDGES = 0.0
"""Boxes end at their edges: a width is x2 - x1."""


class AnchorTargetCreator:
    """Label anchors and give them their regression targets; the picture's border itself counts as inside."""

    def __init__(
        self,
        n_sample: int = 256,
        pos_iou_thresh: float = 0.7,
        neg_iou_thresh: float = 0.3,
        pos_ratio: float = 0.5,
        rng: np.random.RandomState | None = None,
    ) -> None:
        self.rule = AnchorRule(pos_iou_thresh, neg_iou_thresh, n_sample, pos_ratio, plus=EDGES)
        self.rng = rng or np.random.RandomState(DEFAULT_SEED)

    @torch.no_grad()
    def __call__(self, bbox: Tensor, anchor: Tensor, img_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Targets (S, 4) and labels (S,) of 1, 0, -1, from truths (R, 4), anchors (S, 4) and (height, width)."""
        height, width = img_size
        fits = inside(anchor, width, height, closed=True)
        labels, targets = self.rule.assign(anchor, fits, usable(bbox, EDGES), self.rng)
        return targets, labels.int()


class ProposalCreator:
    """Turn deltas and scores into the best boxes, as many as `parent_model.training` wants; a negative number: all."""

    def __init__(
        self,
        parent_model: nn.Module,
        nms_thresh: float = 0.7,
        n_train_pre_nms: int = 12000,
        n_train_post_nms: int = 2000,
        n_test_pre_nms: int = 6000,
        n_test_post_nms: int = 300,
        min_size: float = 16,
    ) -> None:
        self.parent_model = parent_model
        self.train_rule, self.test_rule = (
            ProposalRule(before, after, nms_thresh, min_size, EDGES, inclusive=False)
            for before, after in ((n_train_pre_nms, n_train_post_nms), (n_test_pre_nms, n_test_post_nms))
        )

    @torch.no_grad()
    def __call__(
        self, loc: Tensor, score: Tensor, anchor: Tensor, img_size: tuple[int, int], scale: float = 1.0
    ) -> Tensor:
        """Boxes (S, 4), best first, from deltas (R, 4), scores (R,), anchors (R, 4) and (height, width)."""
        rule = self.train_rule if self.parent_model.training else self.test_rule
        height, width = img_size
        # The rule says x first: the axes are exchanged, and so is the size.
        return rule.propose(anchor, loc, score.flatten(), width, height, scale)[0]


class ProposalTargetCreator:
    """Draw the RoIs that the head trains on; `label` counts from 0, what comes out from 1, with 0 for background."""

    def __init__(
        self,
        n_sample: int = 128,
        pos_ratio: float = 0.25,
        pos_iou_thresh: float = 0.5,
        neg_iou_thresh_hi: float = 0.5,
        neg_iou_thresh_lo: float = 0.0,
        rng: np.random.RandomState | None = None,
    ) -> None:
        self.rule = RoIRule(n_sample, pos_ratio, pos_iou_thresh, neg_iou_thresh_hi, neg_iou_thresh_lo)
        self.rng = rng or np.random.RandomState(DEFAULT_SEED)

    @torch.no_grad()
    def __call__(
        self,
        roi: Tensor,
        bbox: Tensor,
        label: Tensor,
        loc_normalize_mean: Sequence[float] = (0.0, 0.0, 0.0, 0.0),
        loc_normalize_std: Sequence[float] = (0.1, 0.1, 0.2, 0.2),
    ) -> tuple[Tensor, Tensor, Tensor]:
        """RoIs (S, 4), deltas (S, 4) and labels (S,), from RoIs (R, 4), truths (R', 4) and their labels (R',).

        RoIs and truths that are not finite or have no area are left out; without truths all are background, deltas 0.
        """
        truths = usable(torch.cat((bbox, label[:, None].to(bbox.dtype)), dim=1), EDGES)
        rois = torch.cat((usable(roi, EDGES), truths[:, :4]))
        overlaps = overlap(rois, truths[:, :4], EDGES)
        rows, positive = self.rule.sample(overlaps, self.rng)
        rois, labels = rois[rows], torch.zeros(len(rows), dtype=torch.int64)
        if not len(truths):
            return rois, torch.zeros_like(rois), labels
        matched = truths[overlaps[rows].argmax(dim=1)]
        labels[:positive] = matched[:positive, 4].long() + 1
        mean, std = (torch.tensor(values) for values in (loc_normalize_mean, loc_normalize_std))
        return rois, (boxes.transform(rois, matched[:, :4], EDGES) - mean) / std, labels
