"""VOC's measure: precision against recall, and the average precision, to the last digit as voc_eval.py has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ....layers.boxes import iou

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClassTruths:
    """The objects of one class in one picture: boxes K×4 (x1, y1, x2, y2), and which of them are difficult."""

    boxes: Floats
    difficult: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ClassDetections:
    """The detections of one class in all pictures: which picture each is of, its score, and its box (N×4)."""

    pictures: npt.NDArray[Any]
    scores: Floats
    boxes: Floats


@dataclass(frozen=True)
class Curve:
    """Recall and precision after each detection, by descending score; the average precision; how many objects."""

    recall: Floats
    precision: Floats
    ap: float
    objects: int


def evaluate(
    found: ClassDetections, truths: Mapping[str, ClassTruths], overlap: float = 0.5, use_07: bool = True
) -> Curve:
    """Match detections with objects: each with the one it overlaps most, and only the first one with it is right.

    Right is an overlap above `overlap`. Detections of difficult objects count neither way, and such objects are not
    asked for. Equal scores come in the order handed in. Without an object recall is NaN, as in the originals.
    """
    order = np.argsort(-found.scores, kind="stable")
    hits, ignored = _matched(found, truths, overlap, order)
    right, wrong = np.cumsum(hits, dtype=np.float64), np.cumsum(~hits & ~ignored, dtype=np.float64)
    objects = int(sum((~truth.difficult).sum() for truth in truths.values()))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / objects
    precision = right / np.maximum(right + wrong, np.finfo(np.float64).eps)
    return Curve(recall, precision, average_precision(recall, precision, use_07), objects)


def average_precision(recall: Floats, precision: Floats, use_07: bool) -> float:
    """VOC 2007's mean of the best precision at eleven recalls, or the area below the curve made non-increasing."""
    if use_07:
        best = 0.0
        for threshold in np.arange(0.0, 1.1, 0.1):
            reached = precision[recall >= threshold]
            best += (np.max(reached) if len(reached) else 0.0) / 11.0
        return float(best)
    recall, precision = np.concatenate(([0.0], recall, [1.0])), np.concatenate(([0.0], precision, [0.0]))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.flatnonzero(recall[1:] != recall[:-1])
    return float(np.sum((recall[steps + 1] - recall[steps]) * precision[steps + 1]))


def _matched(
    found: ClassDetections, truths: Mapping[str, ClassTruths], overlap: float, order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Of the detections in that order, which are right and which count neither way."""
    nearest = np.full(len(order), -1)  # the number of the object, of all pictures' objects in a row
    first, rows_of = 0, _rows_by_picture(found.pictures[order])
    for name, truth in truths.items():
        rows = rows_of.get(name)
        if rows is not None and len(truth.boxes):
            overlaps = iou(torch.from_numpy(found.boxes[order[rows]]), torch.from_numpy(truth.boxes)).numpy()
            nearest[rows] = np.where(overlaps.max(axis=1) > overlap, first + overlaps.argmax(axis=1), -1)
        first += len(truth.boxes)
    difficult = np.concatenate([*(truth.difficult for truth in truths.values()), np.zeros(1, bool)])
    ignored = difficult[nearest]  # -1 finds the last one, which is not
    earliest = np.zeros(len(order), bool)
    earliest[np.unique(nearest, return_index=True)[1]] = True
    return earliest & (nearest >= 0) & ~ignored, ignored


def _rows_by_picture(pictures: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.intp]]:
    """The rows of each picture, in order."""
    if not len(pictures):
        return {}
    order = np.argsort(pictures, kind="stable")
    names, starts = np.unique(pictures[order], return_index=True)
    return dict(zip(map(str, names), np.split(order, starts[1:]), strict=True))
