"""Targets of box regression for regions from a file, and their means and deviations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ...layers.boxes import arithmetic as box_arithmetic
from ...prototxt.text import Config
from .proposals import overlaps
from .roidb import Entry, Roidb

Targets = NDArray[np.float32]
"""(R, 5): class, dx, dy, dw, dh; zeros where a region has none."""


def with_targets(roidb: Roidb, config: Config) -> Roidb:
    """The roidb with the targets of its regions, and their means and deviations per class.

    These are the config's (PRECOMPUTED), or measured; with AGNOSTIC there are two classes, the second is any object.
    Targets are normalised by them, unless BBOX_NORMALIZE_TARGETS is off.

    A deviation of 0, of a class whose targets are all equal, turns them into 0 (the originals divide by it: NaN).
    """
    targets = [_targets(entry, config["TRAIN.BBOX_THRESH"]) for entry in roidb.entries]
    agnostic = bool(config["TRAIN.AGNOSTIC"])
    count = 2 if agnostic else len(roidb.classes)
    if config["TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED"]:
        means, stds = (np.tile(config[f"TRAIN.BBOX_NORMALIZE_{name}"], (count, 1)) for name in ("MEANS", "STDS"))
    else:
        means, stds = _measured(targets, count, agnostic, config["EPS"])
    if config["TRAIN.BBOX_NORMALIZE_TARGETS"]:
        for of_entry in targets:
            _normalise(of_entry, means, stds, agnostic)
    pairs = zip(roidb.entries, targets, strict=True)
    return replace(roidb, entries=tuple(replace(e, bbox_targets=t) for e, t in pairs), means=means, stds=stds)


def _targets(entry: Entry, thresh: float) -> Targets:
    """An entry's targets, towards the truth that a region overlaps most; regions below `thresh` have none."""
    targets = np.zeros((len(entry.boxes), 5), np.float32)
    truths, examples = np.flatnonzero(entry.max_overlaps == 1), np.flatnonzero(entry.max_overlaps >= thresh)
    if not len(truths):
        return targets
    nearest = truths[overlaps(entry.boxes[examples], entry.boxes[truths]).argmax(axis=1)]
    # float32 with proposals, as the originals; whole pixels are computed with in float64
    boxes = entry.boxes if entry.boxes.dtype.kind == "f" else entry.boxes.astype(np.float64)
    example, truth = (torch.from_numpy(boxes[rows]) for rows in (examples, nearest))
    targets[examples, 0] = entry.max_classes[examples]
    targets[examples, 1:] = box_arithmetic.transform(example, truth).numpy()
    return targets


def _measured(targets: list[Targets], count: int, agnostic: bool, eps: float) -> tuple[NDArray[np.float64], ...]:
    """Means and deviations of each class's targets, (count, 4) each; 0 for classes without any."""
    counts = np.full((count, 1), eps)
    sums, squares = np.zeros((count, 4)), np.zeros((count, 4))
    for of_entry in targets:
        for number in range(1, count):
            rows = of_entry[_rows(of_entry, number, agnostic), 1:]
            counts[number] += len(rows)
            sums[number] += rows.sum(axis=0)
            squares[number] += (rows**2).sum(axis=0)
    means = sums / counts
    return means, np.sqrt(np.maximum(squares / counts - means**2, 0))


def _normalise(targets: Targets, means: NDArray[np.float64], stds: NDArray[np.float64], agnostic: bool) -> None:
    for number in range(1, len(means)):
        rows = _rows(targets, number, agnostic)
        moved = (targets[rows, 1:] - means[number]).astype(np.float32)
        targets[rows, 1:] = np.divide(moved, stds[number], out=np.zeros(moved.shape), where=stds[number] > 0)


def _rows(targets: Targets, number: int, agnostic: bool) -> NDArray[np.bool_]:
    classes = targets[:, 0]
    return np.asarray(classes > 0 if agnostic else classes == number)
