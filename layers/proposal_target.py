"""ProposalTargetLayer of py-faster-rcnn and py-R-FCN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register
from .boxes import DEFAULT_SEED, RoIRule, ground_truth, usable
from .boxes import arithmetic as boxes

Four = tuple[float, float, float, float]


@register("rpn.proposal_target_layer.ProposalTargetLayer")
class ProposalTargetLayer(Layer):
    """Draw the regions of interest that the head trains on, and give them classes and regression targets.

    Bottoms: rois (R×5: 0, x1, y1, x2, y2), gt_boxes (K×5: x1, y1, x2, y2, class).
    Tops: rois (S×5), labels (S), bbox_targets, bbox_inside_weights, bbox_outside_weights (each S×4C, C = num_classes);
    with variant rfcn all have four axes: S×5×1×1, S×1×1×1, S×4C×1×1. Until a forward S is 1, and labels are 1×1.

    1. The truths join the RoIs.
    2. Foreground is an overlap of fg_thresh or more with some truth: fg_fraction * batch_size of them are drawn and
       come first. Background is an overlap in [bg_thresh_lo, bg_thresh_hi): drawn until there are batch_size.
       batch_size -1 takes all. With too few of both, S is smaller.
    3. A foreground RoI has the class of the truth it overlaps most, and the deltas to it in columns 4 * class to
       4 * class + 3 (4 to 7 if agnostic), with bbox_inside_weights, and outside weights 1 where those are positive.

    Truths that are not finite or have no area, and RoIs that are not finite, are left out. Without any truth (the
    originals fail there) every RoI is background, whatever bg_thresh_lo; with no RoI either the tops have no rows.
    """

    config: ClassVar[Mapping[str, str]] = {
        **{
            name: f"TRAIN.{name.upper()}"
            for name in (
                "batch_size",
                "fg_fraction",
                "fg_thresh",
                "bg_thresh_hi",
                "bg_thresh_lo",
                "bbox_inside_weights",
                "bbox_normalize_targets_precomputed",
                "bbox_normalize_means",
                "bbox_normalize_stds",
                "agnostic",
            )
        },
        "variant": "VARIANT",
    }
    bottoms = Arity(2, 2)
    tops = Arity(5, 5)
    discrete = frozenset({1})

    def __init__(
        self,
        num_classes: int,
        batch_size: int = 128,
        fg_fraction: float = 0.25,
        fg_thresh: float = 0.5,
        bg_thresh_hi: float = 0.5,
        bg_thresh_lo: float = 0.1,
        bbox_inside_weights: Four = (1.0, 1.0, 1.0, 1.0),
        bbox_normalize_targets_precomputed: bool = False,
        bbox_normalize_means: Four = (0.0, 0.0, 0.0, 0.0),
        bbox_normalize_stds: Four = (0.1, 0.1, 0.2, 0.2),
        agnostic: bool = False,
        variant: str = "frcnn",
        rng: np.random.RandomState | None = None,
    ) -> None:
        super().__init__()
        if num_classes < 2:
            raise LayerError(f"num_classes counts the background too and is at least 2, got {num_classes}")
        self.num_classes = num_classes
        self.rule = RoIRule(batch_size, fg_fraction, fg_thresh, bg_thresh_hi, bg_thresh_lo)
        self.inside_weights = bbox_inside_weights
        precomputed = bbox_normalize_targets_precomputed
        self.normalization = (bbox_normalize_means, bbox_normalize_stds) if precomputed else None
        self.agnostic = agnostic
        self.trailing: Shape = (1, 1) if variant == "rfcn" else ()
        self.rng = rng or np.random.RandomState(DEFAULT_SEED)

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        return tuple((1, width, *self.trailing) for width in (5, 1, *[4 * self.num_classes] * 3))

    @torch.no_grad()
    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # A draw is NumPy's, and the rows are few: this layer works on the CPU whatever the device.
        truths = usable(ground_truth(bottoms[1]).cpu(), plus=1)
        candidates = self._candidates(bottoms[0].cpu(), truths)
        overlaps = boxes.iou(candidates[:, 1:], truths[:, :4])
        rows, foreground = self.rule.sample(overlaps, self.rng)
        rois, labels = candidates[rows], torch.zeros(len(rows))
        targets, inside = (torch.zeros(len(rows), 4 * self.num_classes) for _ in range(2))
        if foreground:
            matched = truths[overlaps[rows[:foreground]].argmax(dim=1)]
            labels[:foreground] = matched[:, 4]
            self._regress(rois[:foreground, 1:], matched, targets, inside)
        shape = (-1, 1, 1, 1) if self.trailing else (-1,)
        tops = (rois, labels.view(shape), targets, inside, (inside > 0).float())
        return tuple(top.reshape(*top.shape, *self.trailing[: 4 - top.dim()]).to(bottoms[0].device) for top in tops)

    def _candidates(self, rois: Tensor, truths: Tensor) -> Tensor:
        """The finite RoIs and the truths, (R + K, 5)."""
        if rois.shape[1:].numel() != 5:
            raise LayerError(f"rois must be R×5 (0, x1, y1, x2, y2), got {'×'.join(map(str, rois.shape))}")
        rois = rois.reshape(-1, 5)
        if rois[:, 0].any():
            raise LayerError("only single item batches are supported: rois of a second picture (first column not 0)")
        boxed = torch.cat((truths.new_zeros(len(truths), 1), truths[:, :4]), dim=1)
        return torch.cat((rois[rois.isfinite().all(dim=1)], boxed))

    def _regress(self, rois: Tensor, matched: Tensor, targets: Tensor, inside: Tensor) -> None:
        """Write the deltas and weights of (F, 4) foreground RoIs with (F, 5) truths into their classes' columns."""
        deltas = boxes.transform(rois, matched[:, :4])
        if self.normalization:
            means, stds = (torch.tensor(values, dtype=torch.float64) for values in self.normalization)
            deltas = ((deltas - means) / stds).float()
        classes = matched[:, 4].long()
        if not self.agnostic and classes.max() >= self.num_classes:
            raise LayerError(f"gt_boxes has class {int(classes.max())}, but num_classes is {self.num_classes}")
        row = (classes > 0).nonzero().squeeze(1)
        column = torch.ones_like(row) if self.agnostic else classes[row]
        targets.view(len(targets), -1, 4)[row, column] = deltas[row]  # (S, 4C) as (S, C, 4)
        inside.view(len(inside), -1, 4)[row, column] = torch.tensor(self.inside_weights)
