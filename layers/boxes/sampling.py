"""How anchors and RoIs are labelled and sampled for training, shared by Caffe's layers and the y-first creators.

Truths are the usable ground-truth boxes. Draws come from a NumPy RandomState in the originals' order: the same seed
picks the same rows as theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base import LayerError
from . import arithmetic as boxes

DEFAULT_SEED = 3
"""The originals' RNG_SEED, for whoever hands in no generator."""


def usable(truths: Tensor, plus: float) -> Tensor:
    """Ground truth without the rows that have no target: not finite, or without width or height. (K, 4+) -> (K', 4+).

    The originals trained on them, and on NaN from then on.
    """
    sides = truths[:, 2:4] - truths[:, :2] + plus
    return truths[truths.isfinite().all(dim=1) & (sides > 0).all(dim=1)]


def overlap(rows: Tensor, truths: Tensor, plus: float) -> Tensor:
    """Overlaps, (N, 4) and (K, 4) -> (N, K), in the precision of the convention's originals: ties depend on it.

    Caffe's +1 boxes in float64; edges in the boxes' own dtype.
    """
    return boxes.iou(rows, truths, plus) if plus else boxes.pairwise(rows[:, None], truths[None], plus)


@dataclass(frozen=True)
class AnchorRule:
    """Which anchors are positive (1), negative (0) or left out (-1), and how many of them count."""

    positive: float = 0.7
    negative: float = 0.3
    batch_size: int = 256
    fg_fraction: float = 0.5
    clobber: bool = False
    plus: float = 1.0

    def __post_init__(self) -> None:
        if self.batch_size < 0 or not 0 <= self.fg_fraction <= 1:
            raise LayerError(
                f"cannot sample {self.batch_size} anchors with a fraction of {self.fg_fraction} positive: "
                "RPN_BATCHSIZE must be at least 0, RPN_FG_FRACTION within 0 and 1"
            )

    def assign(
        self, anchors: Tensor, inside: Tensor, truths: Tensor, rng: np.random.RandomState
    ) -> tuple[Tensor, Tensor]:
        """Labels (N,) and targets (N, 4), both float32, of (N, 4) anchors; `inside` (N,) says who takes part.

        Who does not has label -1 and targets 0. Without truths every anchor inside is negative and has targets 0.
        """
        labels = torch.full((len(anchors),), -1.0)
        targets = torch.zeros(len(anchors), 4)
        rows = inside.nonzero().squeeze(1)
        taking_part = anchors[rows]
        overlaps = overlap(taking_part, truths[:, :4], self.plus)
        labels[rows] = self._sample(self.label(overlaps), rng)
        if overlaps.numel():
            matched = truths[overlaps.argmax(dim=1), :4]
            targets[rows] = boxes.transform(taking_part, matched, self.plus).float()
        return labels, targets

    def label(self, overlaps: Tensor) -> Tensor:
        """Labels (N,) before sampling, from overlaps (N, K) with the truths.

        Positive: `positive` or more with some truth, or the most that a truth has, all of equal ones, even 0.
        Negative: less than `negative` with every truth. Positive wins, with `clobber` negative.
        """
        if not overlaps.numel():
            return torch.zeros(len(overlaps))
        most = overlaps.amax(dim=1)
        positive = (overlaps == overlaps.amax(dim=0)).any(dim=1) | (most >= self.positive)
        negative = most < self.negative
        labels = torch.full((len(overlaps),), -1.0)
        for mask, value in ((positive, 1.0), (negative, 0.0)) if self.clobber else ((negative, 0.0), (positive, 1.0)):
            labels[mask] = value
        return labels

    def _sample(self, labels: Tensor, rng: np.random.RandomState) -> Tensor:
        """Turn surplus positives, then surplus negatives into -1."""
        _leave_out(labels, 1, int(self.fg_fraction * self.batch_size), rng)
        _leave_out(labels, 0, self.batch_size - int((labels == 1).sum()), rng)
        return labels


def _leave_out(labels: Tensor, value: int, most: int, rng: np.random.RandomState) -> None:
    rows = (labels == value).nonzero().squeeze(1)
    if len(rows) > most:
        labels[torch.from_numpy(rng.choice(rows.numpy(), size=len(rows) - most, replace=False))] = -1


@dataclass(frozen=True)
class RoIRule:
    """Which RoIs are foreground and which background, and how many of each are drawn; batch_size -1 takes all."""

    batch_size: int = 128
    fg_fraction: float = 0.25
    fg_thresh: float = 0.5
    bg_thresh_hi: float = 0.5
    bg_thresh_lo: float = 0.1

    def __post_init__(self) -> None:
        if not (self.batch_size > 0 or self.batch_size == -1) or not 0 <= self.fg_fraction <= 1:
            raise LayerError(
                f"cannot sample {self.batch_size} RoIs with a fraction of {self.fg_fraction} foreground: "
                "BATCH_SIZE must be positive or -1 (all), FG_FRACTION within 0 and 1"
            )

    def sample(self, overlaps: Tensor, rng: np.random.RandomState) -> tuple[Tensor, int]:
        """Rows drawn (S,), foreground first, and how many are foreground, from overlaps (R, K) with the truths.

        Without truths every RoI is background, whatever bg_thresh_lo says: there is nothing that it could be near.
        """
        size = math.inf if self.batch_size == -1 else self.batch_size
        if not overlaps.shape[1]:
            return torch.from_numpy(_draw(np.ones(len(overlaps), dtype=bool), size, rng)), 0
        most = overlaps.amax(dim=1).numpy()
        share = float(np.round(self.fg_fraction * size)) if self.fg_fraction else 0
        foreground = _draw(most >= self.fg_thresh, share, rng)
        near = (most < self.bg_thresh_hi) & (most >= self.bg_thresh_lo)
        background = _draw(near, size - len(foreground), rng)
        return torch.from_numpy(np.concatenate((foreground, background))), len(foreground)


def _draw(mask: NDArray[np.bool_], most: float, rng: np.random.RandomState) -> NDArray[np.int64]:
    """Up to `most` of the rows in a mask, in random order; drawn even where all are taken, as in the originals."""
    rows = np.flatnonzero(mask)
    return rng.choice(rows, size=int(min(most, len(rows))), replace=False) if len(rows) else rows
