"""Two lists of detections as sets: which one side lacks, and how far those that both have lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .roi_matching import pair_rois, roi_overlaps

Rows = npt.NDArray[Any]
"""N×5: x1, y1, x2, y2, score."""
NEAR = 1e-3
"""A score so near the threshold falls on either side by little."""


@dataclass(frozen=True)
class Single:
    """A detection that one side has alone."""

    side: str
    """golden (lost by ours) or ours (added)."""
    label: int
    score: float
    box: tuple[float, ...]
    nearest: float
    """The largest overlap with a detection of the other side, of the same class."""
    near: bool
    """Whether its score is within NEAR of the threshold."""


@dataclass(frozen=True)
class ClassMatch:
    """One class: how many each side has, how many are one and the same, and how far those lie apart at most."""

    label: int
    golden: int
    ours: int
    matched: int
    pixels: float
    """The farthest that a corner moved."""
    score: float
    """The largest difference of scores."""
    near: int
    """How many of either side's scores are within NEAR of the threshold."""


@dataclass(frozen=True)
class DetectionMatch:
    """All classes that have a detection on either side, and the detections without a partner."""

    classes: tuple[ClassMatch, ...]
    singles: tuple[Single, ...]

    @property
    def ok(self) -> bool:
        """Whether both sides found the same objects."""
        return not self.singles


def match_detections(want: Sequence[Rows], have: Sequence[Rows], threshold: float) -> DetectionMatch:
    """Match the rows of each class, one to one by overlap; both lists have an entry for each class."""
    classes, singles = [], []
    for label, (golden, ours) in enumerate(zip(want, have, strict=True)):
        if not len(golden) and not len(ours):
            continue
        pairs = pair_rois(_as_rois(golden), _as_rois(ours), 0.0)
        a, b = ([pair[side] for pair in pairs] for side in (0, 1))
        apart = np.abs(golden[a].astype(np.float64) - ours[b]).max(axis=0, initial=0.0)
        near = sum(int(np.count_nonzero(np.abs(rows[:, 4] - threshold) <= NEAR)) for rows in (golden, ours))
        pixels, score = float(apart[:4].max()), float(apart[4])
        classes.append(ClassMatch(label, len(golden), len(ours), len(pairs), pixels, score, near))
        singles += _singles("golden", label, golden, ours, set(a), threshold)
        singles += _singles("ours", label, ours, golden, set(b), threshold)
    return DetectionMatch(tuple(classes), tuple(singles))


def _as_rois(rows: Rows) -> Rows:
    """Rows (image, x1, y1, x2, y2), all of one image."""
    return np.hstack([np.zeros((len(rows), 1)), rows[:, :4]])


def _singles(side: str, label: int, mine: Rows, others: Rows, matched: set[int], threshold: float) -> list[Single]:
    rows = [row for row in range(len(mine)) if row not in matched]
    nearest = roi_overlaps(_as_rois(mine[rows]), _as_rois(others)).max(axis=1, initial=0)
    return [
        Single(
            side,
            label,
            float(mine[row, 4]),
            tuple(map(float, mine[row, :4])),
            float(overlap),
            abs(float(mine[row, 4]) - threshold) <= NEAR,
        )
        for row, overlap in zip(rows, nearest, strict=True)
    ]
