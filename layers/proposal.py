"""ProposalLayer of py-faster-rcnn and py-R-FCN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from .base import Arity, Layer, LayerError, Shape, register
from .boxes import (
    RATIOS,
    SCALES,
    AnchorGrid,
    by_score,
    clip,
    image_info,
    large_enough,
    least_overlap,
    nms,
    single_item,
    transform_inv,
)
from .native import operator

Four = tuple[float, float, float, float]
TOP_N = {"TRAIN": (12000, 2000), "TEST": (6000, 300)}
"""How many boxes the originals keep before and after NMS."""


@dataclass(frozen=True)
class ProposalStages:
    """What a rule made of N anchors, step by step; all but the boxes are rows of anchors, best first."""

    moved: Tensor
    """The boxes (N, 4), moved and cut to the picture."""
    order: Tensor
    """Those that are large enough and finite."""
    first: Tensor
    """The best of them, which NMS looks at."""
    survivors: Tensor
    """Those of them that NMS leaves."""
    kept: Tensor
    """The best of them: the proposals."""


@dataclass(frozen=True)
class ProposalRule:
    """From anchors and what the RPN says of them to the best boxes; not positive limits keep all."""

    pre_nms: int
    post_nms: int
    nms_thresh: float = 0.7
    min_size: float = 16
    plus: float = 1.0
    inclusive: bool = True

    @property
    def numbers(self) -> tuple[float, ...]:
        """The fields in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @property
    def bound(self) -> float:
        """The least overlap at which the lesser box falls."""
        return least_overlap(self.nms_thresh, self.inclusive)

    def propose(
        self, anchors: Tensor, deltas: Tensor, scores: Tensor, height: float, width: float, scale: float
    ) -> tuple[Tensor, Tensor]:
        """Boxes (R, 4) and scores (R,), best first, from (N, 4), (N, 4) and (N,).

        Boxes are cut to the picture; those with a side below min_size * scale go, and those whose deltas or score are
        not finite. R may be 0. Equal scores come in the order of their anchors.
        """
        stages = self.stages(anchors, deltas, scores, height, width, scale)
        return stages.moved[stages.kept], scores[stages.kept]

    def stages(
        self,
        anchors: Tensor,
        deltas: Tensor,
        scores: Tensor,
        height: float,
        width: float,
        scale: float,
        whole: bool = False,
    ) -> ProposalStages:
        """The same, step by step; unless asked for as a whole, no step goes on behind what the next one takes."""
        moved = clip(transform_inv(anchors, deltas, self.plus), height, width, self.plus)
        real = deltas.isfinite().all(dim=1) & scores.isfinite()
        rows = (large_enough(moved, self.min_size * scale, self.plus) & real).nonzero().squeeze(1)
        before, after = (-1, -1) if whole else (self.pre_nms, self.post_nms)
        order = rows[by_score(scores[rows], before)]
        first = _best(order, self.pre_nms)
        survivors = first[nms(moved[first], self.nms_thresh, self.plus, self.inclusive, after)]
        return ProposalStages(moved, order, first, survivors, _best(survivors, self.post_nms))


def _best(rows: Tensor, limit: int) -> Tensor:
    """The first `limit`, all if that is not positive."""
    return rows[:limit] if limit > 0 else rows


@operator("propose")
def _propose(
    anchors: Tensor,
    deltas: Tensor,
    scores: Tensor,
    im_info: Tensor,
    pre_nms: int,
    post_nms: int,
    nms_thresh: float,
    min_size: float,
    plus: float,
    inclusive: bool,
) -> Tensor:
    """What a rule proposes, boxes and scores side by side (R, 5): one operator, since export cannot look inside."""
    rule = ProposalRule(pre_nms, post_nms, nms_thresh, min_size, plus, inclusive)
    boxes, scores = rule.propose(anchors, deltas, scores, *image_info(im_info))
    return torch.cat((boxes, scores[:, None]), dim=1)


@_propose.register_fake
def _propose_shape(anchors: Tensor, deltas: Tensor, *rest: Tensor | float) -> Tensor:
    return deltas.new_empty(torch.library.get_ctx().new_dynamic_size(), 5)


@register("rpn.proposal_layer.ProposalLayer")
class ProposalLayer(Layer):
    """Turn the RPN's scores and deltas into regions of interest.

    Bottoms: probabilities (1×2A×H×W: A of background, A of object), deltas (1×4A×H×W), im_info (1×3: height, width,
    scale). Tops: rois (R×5: 0, x1, y1, x2, y2), and if asked for their scores (R×1). Until a forward, 1×5 and 1×1×1×1.

    1. Move the anchors by the deltas and cut them to the picture.
    2. Drop boxes with a side below rpn_min_size * scale.
    3. Take the rpn_pre_nms_top_n best scores.
    4. Non-maximum suppression at rpn_nms_thresh: >= as the originals on a CPU, > with use_gpu_nms.
    5. Take the rpn_post_nms_top_n best.

    Of equal scores the earlier anchor comes first (the originals' order is their sort's accident). Boxes whose score or
    deltas are NaN or infinite are dropped. Where no box is left, rois are 0×5: no region, and nothing made up.
    `ratios` and `base_size` are not in the originals; rpn_normalize_* are py-R-FCN's: in TRAIN the deltas are taken as
    normalised and are turned back first.
    """

    config: ClassVar[Mapping[str, str]] = {
        **{
            name: "{phase}." + name.upper()
            for name in ("rpn_nms_thresh", "rpn_pre_nms_top_n", "rpn_post_nms_top_n", "rpn_min_size")
        },
        **{f"rpn_normalize_{name}": f"TRAIN.RPN_NORMALIZE_{name.upper()}" for name in ("targets", "means", "stds")},
        "use_gpu_nms": "USE_GPU_NMS",
    }
    bottoms = Arity(3, 3)
    tops = Arity(1, 2)

    def __init__(
        self,
        feat_stride: float,
        scales: Sequence[float] = SCALES,
        ratios: Sequence[float] = RATIOS,
        base_size: float = 16,
        phase: str = "TEST",
        rpn_nms_thresh: float = 0.7,
        rpn_pre_nms_top_n: int | None = None,
        rpn_post_nms_top_n: int | None = None,
        rpn_min_size: float = 16,
        use_gpu_nms: bool = False,
        rpn_normalize_targets: bool = False,
        rpn_normalize_means: Four = (0.0, 0.0, 0.0, 0.0),
        rpn_normalize_stds: Four = (0.1, 0.1, 0.2, 0.2),
    ) -> None:
        super().__init__()
        if phase not in TOP_N:
            raise LayerError(f"phase must be TRAIN or TEST, got {phase!r}")
        self.anchors = AnchorGrid(feat_stride, scales, ratios, base_size)
        before, after = TOP_N[phase]
        self.rule = ProposalRule(
            before if rpn_pre_nms_top_n is None else rpn_pre_nms_top_n,
            after if rpn_post_nms_top_n is None else rpn_post_nms_top_n,
            rpn_nms_thresh,
            rpn_min_size,
            inclusive=not use_gpu_nms,
        )
        normalized = rpn_normalize_targets and phase == "TRAIN"
        self.normalization = (rpn_normalize_means, rpn_normalize_stds) if normalized else None

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        super().setup(*bottoms, num_tops=num_tops)
        self._check(bottoms[0], bottoms[1])

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        return ((1, 5), (1, 1, 1, 1))[: self.num_tops]

    @torch.no_grad()
    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        probabilities, deltas, im_info = bottoms
        single_item(probabilities)
        found = _propose(*self.rows(probabilities, deltas), im_info, *self.rule.numbers)
        return (functional.pad(found[:, :4], (1, 0)), found[:, 4:])[: self.num_tops]

    def rows(self, probabilities: Tensor, deltas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The anchors (N, 4), their deltas (N, 4), and their scores (N,)."""
        self._check(tuple(probabilities.shape), tuple(deltas.shape))
        height, width = probabilities.shape[-2:]
        anchors = self.anchors.over(height, width, probabilities.device)
        # 1×A×H×W -> (H*W*A,) and 1×4A×H×W -> (H*W*A, 4): the rows of the anchors
        scores = probabilities[:, len(self.anchors) :].permute(0, 2, 3, 1).reshape(-1)
        moves = deltas.permute(0, 2, 3, 1).reshape(-1, 4)
        if self.normalization:
            means, stds = (torch.tensor(v, dtype=torch.float64, device=moves.device) for v in self.normalization)
            # Rounded to float32 after each step, as NumPy does in place.
            moves = ((moves * stds).float() + means).float()
        return anchors, moves, scores

    def _check(self, probabilities: Shape, deltas: Shape) -> None:
        count = len(self.anchors)
        if probabilities[1] != 2 * count or deltas[1] != 4 * count:
            raise LayerError(
                f"{count} anchors a cell want 2×{count} channels of probabilities and 4×{count} of deltas, "
                f"got {probabilities[1]} and {deltas[1]}: check 'scales' and 'ratios' in param_str"
            )
        if probabilities[2:] != deltas[2:]:
            raise LayerError(f"probabilities and deltas must be of one map, got {probabilities} and {deltas}")
