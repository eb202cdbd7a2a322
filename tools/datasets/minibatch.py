"""One minibatch: the blobs that RoIDataLayer gives, from entries of the roidb and their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...layers.boxes import RoIRule
from ...prototxt.text import Config
from .errors import DataError
from .images import Floats, to_blob
from .roidb import Entry

Blobs = Mapping[str, NDArray[Any]]


def rpn_blobs(entry: Entry, image: Floats, scale: float) -> Blobs:
    """data, im_info and gt_boxes of the one picture that an RPN trains on.

    Crowds are among the truths here, in the originals too.
    """
    data = to_blob([image])
    truths = entry.gt_classes != 0
    gt_boxes = np.empty((truths.sum(), 5), np.float32)
    gt_boxes[:, :4] = entry.boxes[truths] * scale
    gt_boxes[:, 4] = entry.gt_classes[truths]
    return {"data": data, "im_info": np.array([[*data.shape[2:], scale]], np.float32), "gt_boxes": gt_boxes}


def roi_rule(config: Config, num_images: int) -> RoIRule:
    """How many regions of one of the pictures are drawn, and which."""
    size = config["TRAIN.BATCH_SIZE"]
    if size != -1 and size % num_images:
        raise DataError(f"TRAIN.BATCH_SIZE {size} cannot be shared among {num_images} pictures: make it a multiple")
    names = ("FG_FRACTION", "FG_THRESH", "BG_THRESH_HI", "BG_THRESH_LO")
    return RoIRule(size if size == -1 else size // num_images, *(config[f"TRAIN.{name}"] for name in names))


def draw_regions(
    entries: Sequence[Entry], config: Config, rng: np.random.RandomState
) -> list[tuple[NDArray[np.int64], int]]:
    """Of each picture the regions that are drawn, and how many of them, the first, are objects."""
    rule = roi_rule(config, len(entries))
    drawn = (rule.sample(torch.from_numpy(entry.max_overlaps[:, None]), rng) for entry in entries)
    return [(rows.numpy(), foreground) for rows, foreground in drawn]


def roi_blobs(
    entries: Sequence[Entry],
    images: Sequence[Floats],
    scales: Sequence[float],
    num_classes: int,
    config: Config,
    rng: np.random.RandomState,
) -> Blobs:
    """data, rois and labels of several pictures, with BBOX_REG bbox_targets and their weights; draws the regions."""
    rois, labels, targets = [], [], []
    drawn = draw_regions(entries, config, rng)
    for number, (entry, scale, (rows, foreground)) in enumerate(zip(entries, scales, drawn, strict=True)):
        boxes = entry.boxes[rows] * scale
        rois.append(np.hstack((np.full((len(rows), 1), number), boxes)).astype(np.float32))
        labels.append(np.where(np.arange(len(rows)) < foreground, entry.max_classes[rows], 0))
        if entry.bbox_targets is not None:
            targets.append(entry.bbox_targets[rows])
    blobs = {"data": to_blob(images), "rois": np.vstack(rois), "labels": np.hstack(labels).astype(np.float32)}
    if not config["TRAIN.BBOX_REG"]:
        return blobs
    spread, inside = _spread(np.vstack(targets), num_classes, config)
    weights = {"bbox_inside_weights": inside, "bbox_outside_weights": (inside > 0).astype(np.float32)}
    return {**blobs, "bbox_targets": spread, **weights}


def _spread(targets: Floats, num_classes: int, config: Config) -> tuple[Floats, Floats]:
    """Targets (S, 5) in their classes' columns, (S, 4C), and the inside weights there."""
    agnostic = config["TRAIN.AGNOSTIC"]
    count = 2 if agnostic else num_classes
    spread, inside = (np.zeros((len(targets), count, 4), np.float32) for _ in range(2))
    rows = np.flatnonzero(targets[:, 0] > 0)
    columns = 1 if agnostic else targets[rows, 0].astype(int)
    spread[rows, columns] = targets[rows, 1:]
    inside[rows, columns] = config["TRAIN.BBOX_INSIDE_WEIGHTS"]
    return spread.reshape(len(targets), -1), inside.reshape(len(targets), -1)  # (S, C, 4) -> (S, 4C)
