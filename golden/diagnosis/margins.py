"""Why a proposal fell on one side and not on the other, and by how little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...layers import ProposalLayer
from ...layers.boxes import image_info, pairwise
from .differences import RoiMatch
from .language import scores_of


@dataclass(frozen=True)
class Fate:
    """What became of one anchor's box on either side; `str()` of it is one line."""

    roi: int
    side: str
    """golden or NET: where it is a RoI."""
    anchor: str
    reason: str
    """Why it is none on the other side, with the margin."""

    def __str__(self) -> str:
        other = "NET" if self.side == "golden" else "the golden"
        return f"{self.side}'s RoI {self.roi}, {self.anchor}: in {other} {self.reason}"


class _Side:
    """The proposals that a layer makes of some bottoms, with what leads to them."""

    def __init__(self, layer: ProposalLayer, bottoms: Sequence[Tensor]) -> None:
        self.rule = layer.rule
        probabilities, rest, im_info = bottoms
        anchors, deltas, self.scores = layer.rows(probabilities, rest)
        height, width, self.scale = image_info(im_info)
        self.stages = self.rule.stages(anchors, deltas, self.scores, height, width, self.scale, whole=True)

    def reason(self, anchor: int) -> str:
        """Why an anchor's box is no RoI."""
        score, stages = float(self.scores[anchor]), self.stages
        if not (stages.order == anchor).any():
            side = float((stages.moved[anchor, 2:] - stages.moved[anchor, :2] + self.rule.plus).min())
            return f"its side {side:.7g} is below {self.rule.min_size * self.scale:.7g}"
        if not (stages.first == anchor).any():
            return self._below(anchor, score, stages.order, len(stages.first), "before NMS")
        if (stages.survivors == anchor).any():
            if (stages.kept == anchor).any():
                return "it is a RoI, too, but elsewhere"
            return self._below(anchor, score, stages.survivors, len(stages.kept), "after NMS")
        earlier = stages.survivors[self.scores[stages.survivors] >= score]
        overlaps = pairwise(stages.moved[earlier], stages.moved[anchor], self.rule.plus)
        return f"it overlaps a better box by {float(overlaps.max()):.9g}, threshold {self.rule.nms_thresh:g}"

    def _below(self, anchor: int, score: float, order: Tensor, limit: int, when: str) -> str:
        place = int((order == anchor).nonzero()[0])
        last = float(self.scores[order[limit - 1]])
        return f"it is number {place + 1} by score {when}, {limit} stay: {last - score:.3g} below the last"


@torch.no_grad()
def fates(
    layer: ProposalLayer, golden: Sequence[Tensor], ours: Sequence[Tensor], match: RoiMatch, most: int = 5
) -> list[Fate]:
    """Why RoIs that one side lacks fell there, from the bottoms of both sides; the first few."""
    sides = {"golden": _Side(layer, golden), "NET": _Side(layer, ours)}
    height, width = golden[0].shape[-2:]
    words = replace(scores_of(len(layer.anchors)), names=("", ""))
    count = len(layer.anchors)
    found = []
    for name, other, rois in (("golden", "NET", match.lost), ("NET", "golden", match.added)):
        for roi in rois[:most]:
            if roi.row >= len(sides[name].stages.kept):
                continue
            anchor = int(sides[name].stages.kept[roi.row])
            cell, number = divmod(anchor, count)
            told = words.at((0, number, *divmod(cell, width)), (1, 2 * count, height, width))
            found.append(Fate(roi.row, name, told, sides[other].reason(anchor)))
    return found
