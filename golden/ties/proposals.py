"""Proposals: which anchors the golden's RoIs are, and whether equal scores allow their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...layers import Layer, ProposalLayer
from ...layers.boxes import image_info, pairwise
from ..compare import largest_magnitude
from .tie import EXACT, Choice, GoldenSide, level

_BLOCK = 256


class _Side:
    """What a proposal layer knows of every anchor, given its bottoms."""

    def __init__(self, layer: ProposalLayer, bottoms: Sequence[Tensor]) -> None:
        probabilities, rest, im_info = bottoms
        self.rule, self.size = layer.rule, image_info(im_info)
        self.anchors, self.deltas, self.scores = layer.rows(probabilities, rest)
        stages = self.rule.stages(self.anchors, self.deltas, self.scores, *self.size, whole=True)
        self.moved, self.order = stages.moved, stages.order
        self.kept = self.replay(self.scores, stages.order[:0])

    def replay(self, scores: Tensor, wanted: Tensor) -> Tensor:
        """The anchors (R,) that are kept, best first, where of equal scores those that are wanted come first."""
        ranks = torch.full_like(scores, len(wanted), dtype=torch.int64)
        ranks[wanted] = torch.arange(len(wanted))
        kept = self._along(scores, ranks)
        if torch.equal(kept, wanted) or not len(wanted):
            return kept
        # Which of equal scores NMS looks at is open, too: those first that the wanted ones suppress.
        ranks[self._standing(scores, wanted)] += 1
        return self._along(scores, ranks)

    def _along(self, scores: Tensor, ranks: Tensor) -> Tensor:
        rows = ranks.argsort(stable=True)
        stages = self.rule.stages(self.anchors[rows], self.deltas[rows], scores[rows], *self.size)
        return rows[stages.kept]

    def _standing(self, scores: Tensor, wanted: Tensor) -> Tensor:
        """The anchors at the limit before NMS, all of one score, that no wanted one suppresses."""
        order = self.order[scores[self.order].argsort(descending=True, stable=True)]
        if not 0 < self.rule.pre_nms < len(order):
            return order[:0]
        rows = order[scores[order] == scores[order[self.rule.pre_nms - 1]]]
        rows = rows[~torch.isin(rows, wanted)]
        for start in range(0, len(wanted), _BLOCK):
            over = pairwise(self.moved[wanted[start : start + _BLOCK], None], self.moved[None, rows], self.rule.plus)
            rows = rows[~(over >= self.rule.bound).any(dim=0)]
        return rows


@torch.no_grad()
def follow_proposals(
    layer: Layer, bottoms: Sequence[Tensor], tops: Sequence[Tensor], golden: GoldenSide, allowed: float
) -> Choice | None:
    """Along the golden's RoIs, where they are the layer's for an order that equal scores allow, on either side."""
    assert isinstance(layer, ProposalLayer)
    ours = _Side(layer, bottoms)
    theirs = ours if golden.bottoms is None else _Side(layer, golden.bottoms)
    if len(theirs.scores) != len(ours.scores):
        return None
    wanted = _anchors_of(golden.tops[0], theirs, allowed if golden.bottoms is None else min(allowed, EXACT))
    if wanted is None or not torch.equal(theirs.replay(theirs.scores, wanted), wanted):
        return None
    if not torch.equal(ours.replay(level(ours.scores, theirs.scores), wanted), wanted):
        return None
    along = (torch.nn.functional.pad(ours.moved[wanted], (1, 0)), ours.scores[wanted, None])[: len(tops)]
    return _told(layer, along, wanted, ours.kept, theirs.scores, bottoms[0].shape[-1])


def _anchors_of(rois: Tensor, side: _Side, allowed: float) -> Tensor | None:
    """The anchors (R,) whose boxes the golden's RoIs are; None if one is nobody's."""
    if rois.ndim != 2 or rois.shape[1] != 5 or rois[:, 0].any():
        return None
    near = allowed * largest_magnitude(rois.numpy())
    boxes, scores = side.moved[side.order], side.scores[side.order]
    pairs = [
        torch.stack((some + start, place, distance[some, place].double()))
        for start in range(0, len(rois), _BLOCK)
        for distance in [torch.cdist(rois[start : start + _BLOCK, 1:], boxes, p=torch.inf)]
        for some, place in [(distance <= near).nonzero(as_tuple=True)]
    ]
    if not pairs:
        return None
    rows, places, distances = (part.numpy() for part in torch.cat(pairs, dim=1))
    found = _one_to_one(rows, places, distances, scores.numpy()[places.astype(np.int64)])
    return side.order[list(found.values())] if list(found) == list(range(len(rois))) else None


def _one_to_one(rows: np.ndarray, places: np.ndarray, distances: np.ndarray, scores: np.ndarray) -> dict[int, int]:
    """For each row a place of its own: that of the best score, since NMS leaves none of the others, or the nearest."""
    found: dict[int, int] = {}
    taken: set[int] = set()
    for k in np.lexsort((places, distances, -scores, rows)):
        row, place = int(rows[k]), int(places[k])
        if row not in found and place not in taken:
            found[row] = place
            taken.add(place)
    return found


def _told(
    layer: ProposalLayer, tops: tuple[Tensor, ...], wanted: Tensor, own: Tensor, scores: Tensor, width: int
) -> Choice:
    """What differs between the golden's anchors and those that the layer takes by itself."""
    count = min(len(wanted), len(own))
    apart = (wanted[:count] != own[:count]).nonzero().flatten()
    row = int(apart[0]) if len(apart) else count
    pair = [int(anchors[row]) for anchors in (wanted, own) if row < len(anchors)] or [int(wanted[-1])]
    equal = (scores == scores[pair[0]]).nonzero().flatten().tolist()
    pair += [anchor for anchor in equal if anchor not in pair][: 2 - len(pair)]
    others = len(set(wanted.tolist()) - set(own.tolist()))
    most = max(len(wanted), len(own))
    text = f"{len(apart) + most - count} of {most} RoIs in another order"
    text += f", {others} of them of other anchors" if others else ""
    places = tuple(f"anchor {_place(layer, anchor, width)}" for anchor in pair)
    return Choice(tops, text, places, float(scores[pair[0]]), alike=max(len(equal) - 2, 0))


def _place(layer: ProposalLayer, anchor: int, width: int) -> str:
    cell, number = divmod(anchor, len(layer.anchors))
    return "(row {}, column {}, #{})".format(*divmod(cell, width), number)
