"""Two lists of RoIs as sets: which are the same, which moved and by how much, which are lost or added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ....layers.boxes import iou

Array = npt.NDArray[Any]
_SAME_OBJECT = 0.5
"""RoIs that overlap less are different ones."""


@dataclass(frozen=True)
class Moved:
    """A RoI that both sides have: its rows, and by how many pixels the corner that moved most did."""

    golden: int
    ours: int
    pixels: float


@dataclass(frozen=True)
class Unmatched:
    """A RoI that one side has: its row and corners, and its largest overlap with any RoI of the other side."""

    row: int
    box: tuple[float, ...]
    nearest: float


@dataclass(frozen=True)
class RoiMatch:
    """One to one, as far as the RoIs overlap; `str()` of it is one line."""

    golden: int
    ours: int
    """How many there are on each side."""
    same: int
    moved: tuple[Moved, ...]
    """Farthest first."""
    reordered: tuple[tuple[int, int], ...]
    """The same RoIs in other rows: golden's and ours."""
    lost: tuple[Unmatched, ...]
    added: tuple[Unmatched, ...]

    def __str__(self) -> str:
        parts = [f"{self.same} of {self.golden} RoIs the same"]
        if self.moved:
            far = self.moved[0]
            parts.append(f"{len(self.moved)} moved, golden's RoI {far.golden} farthest, by {far.pixels:.3g} px")
        if self.reordered:
            a, b = self.reordered[0]
            parts.append(f"{len(self.reordered)} in another row, golden's RoI {a} as ours {b}")
        parts += [f"{len(rois)} {what} ({_first(rois)})" for what, rois in self._alone() if rois]
        return ", ".join(parts)

    def _alone(self) -> tuple[tuple[str, tuple[Unmatched, ...]], ...]:
        return ("lost", self.lost), ("added", self.added)


def _first(rois: tuple[Unmatched, ...]) -> str:
    corners = " ".join(f"{x:.4g}" for x in rois[0].box)
    return f"RoI {rois[0].row}: {corners}, nearest overlaps it by {rois[0].nearest:.2f}"


def match_rois(want: Array, have: Array, allowed: float) -> RoiMatch:
    """Match two lists of rows (image, x1, y1, x2, y2), N×5 or N×5×1×1; corners may differ by `allowed` pixels."""
    want, have = (np.asarray(rois, np.float64).reshape(-1, 5) for rois in (want, have))
    pairs = pair_rois(want, have, allowed)
    moved, reordered, same = [], [], 0
    for a, b in pairs:
        pixels = float(np.abs(want[a] - have[b]).max())
        if not pixels <= allowed:
            moved.append(Moved(a, b, pixels))
        elif a != b:
            reordered.append((a, b))
        else:
            same += 1
    moved.sort(key=lambda roi: -roi.pixels)
    lost, added = _alone(want, have, {a for a, _ in pairs}), _alone(have, want, {b for _, b in pairs})
    return RoiMatch(len(want), len(have), same, tuple(moved), tuple(reordered), lost, added)


def pair_rois(want: Array, have: Array, allowed: float) -> list[tuple[int, int]]:
    """Rows that are one RoI: first those equal in place, then by overlap, largest first, nearest rows first."""
    count = min(len(want), len(have))
    equal = (np.abs(want[:count] - have[:count]) <= allowed).all(axis=1)
    pairs = [(int(row), int(row)) for row in np.flatnonzero(equal)]
    overlaps = roi_overlaps(want, have)
    overlaps[[a for a, _ in pairs]] = overlaps[:, [b for _, b in pairs]] = 0
    rows, columns = np.nonzero(overlaps >= _SAME_OBJECT)
    taken: tuple[set[int], set[int]] = set(), set()
    # Rounded, so that what differs by noise alone goes by the rows.
    for k in np.lexsort((np.abs(rows - columns), -overlaps[rows, columns].round(6))):
        a, b = int(rows[k]), int(columns[k])
        if a not in taken[0] and b not in taken[1]:
            taken[0].add(a)
            taken[1].add(b)
            pairs.append((a, b))
    return sorted(pairs)


def roi_overlaps(want: Array, have: Array) -> Array:
    """Overlaps (N, K), 0 for RoIs of different images."""
    overlaps = iou(torch.from_numpy(want[:, 1:].copy()), torch.from_numpy(have[:, 1:].copy())).numpy()
    return np.where(want[:, None, 0] == have[None, :, 0], overlaps, 0)


def _alone(mine: Array, others: Array, matched: set[int]) -> tuple[Unmatched, ...]:
    rows = [row for row in range(len(mine)) if row not in matched]
    nearest = roi_overlaps(mine[rows], others).max(axis=1, initial=0)
    return tuple(Unmatched(r, tuple(map(float, mine[r, 1:])), float(n)) for r, n in zip(rows, nearest, strict=True))
