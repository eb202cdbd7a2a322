"""Greedy non-maximum suppression, and the order of scores that it wants."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .. import native
from ..native import operator
from .arithmetic import pairwise, rows_of_four


def by_score(scores: Tensor, limit: int = -1) -> Tensor:
    """Indices by descending score, equal ones by ascending index, NaN last; the first `limit`, all if not positive."""
    order = torch.sort(-scores.flatten(), stable=True).indices
    return order[:limit] if limit > 0 else order


def nms(boxes: Tensor, threshold: float, plus: float = 1.0, inclusive: bool = True, limit: int = -1) -> Tensor:
    """Rows to keep of (N, 4) boxes that come by descending score: a box falls if one kept before overlaps it too much.

    inclusive: too much is an overlap >= threshold (the originals' cpu_nms); otherwise > threshold, which is rounded to
    float32 first (their gpu_nms and py_cpu_nms). Overlaps are float32, as there.
    limit: stop when so many are kept, the first ones of the full answer; not positive: keep all.
    A box with a NaN coordinate overlaps nothing and is kept.
    """
    kept: Tensor = _nms(boxes, least_overlap(threshold, inclusive), plus, limit)
    return kept


def least_overlap(threshold: float, inclusive: bool) -> float:
    """The least float32 overlap that suppresses."""
    single = np.float32(threshold)
    enough = inclusive and float(single) >= threshold
    return float(single if enough else np.nextafter(single, np.float32(math.inf)))


@operator("nms")
def _nms(boxes: Tensor, bound: float, plus: float, limit: int) -> Tensor:
    boxes = rows_of_four(boxes, torch.float32)
    limit = min(limit, len(boxes)) if limit > 0 else len(boxes)
    if not native.serves(boxes):
        return nms_torch(boxes, bound, plus, limit)
    rows, scratch = boxes.new_empty(limit, dtype=torch.int64), boxes.new_empty(5, limit)
    count = native.call("nms", boxes, len(boxes), bound, plus, limit, scratch, rows)
    return rows[:count].clone()


@_nms.register_fake
def _nms_shape(boxes: Tensor, bound: float, plus: float, limit: int) -> Tensor:
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


def nms_torch(boxes: Tensor, bound: float, plus: float, limit: int, block: int = 1024) -> Tensor:
    """Rows to keep of boxes (N, 4) in plain torch, at most `limit`: a box falls at an overlap of `bound` or more.

    Block by block: those that the kept ones leave, less those that fall to one of their own block.
    """
    kept = boxes.new_empty(0, dtype=torch.int64)
    for start in range(0, len(boxes), block):
        rows = torch.arange(start, min(start + block, len(boxes)), device=boxes.device)
        fallen = (pairwise(boxes[kept, None], boxes[None, rows], plus) >= bound).any(dim=0)  # (kept, B) -> (B,)
        rows = rows[~fallen]
        over = (pairwise(boxes[rows, None], boxes[None, rows], plus) >= bound).triu(1)  # [i, j]: i would suppress j
        kept = torch.cat((kept, rows[_undominated(over)]))
        if len(kept) >= limit:
            break
    return kept[:limit]


def _undominated(over: Tensor) -> Tensor:
    """Who stays, given who would suppress whom (B, B): guess that all do, correct until nothing changes.

    Box 0 is right from the start and each round settles at least one more, far more as a rule.
    """
    stays = torch.ones(len(over), dtype=torch.bool, device=over.device)
    while True:
        corrected = ~(over & stays[:, None]).any(dim=0)
        if torch.equal(corrected, stays):
            return stays
        stays = corrected
