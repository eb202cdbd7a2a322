"""From every RoI's scores and boxes to detections: threshold, NMS, the best of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...layers.boxes import nms
from ...prototxt.text import Config
from .detections import Rows

DEFAULTS = {"frcnn": (0.05, 100), "rfcn": (-np.inf, 400)}
"""Threshold and most detections of a picture in py-faster-rcnn's and py-R-FCN's test_net."""


@dataclass(frozen=True)
class Selection:
    """How detections are chosen; `inclusive` is the rule of `layers.nms`."""

    thresh: float = 0.05
    max_per_image: int = 100
    """Not positive: all."""
    nms: float = 0.3
    inclusive: bool = True

    @classmethod
    def of(cls, config: Config, thresh: float | None = None, max_per_image: int | None = None) -> Selection:
        """As the originals' test_net does with this config; their defaults where nothing is said."""
        default_thresh, default_max = DEFAULTS[config["VARIANT"]]
        return cls(
            default_thresh if thresh is None else thresh,
            default_max if max_per_image is None else max_per_image,
            config["TEST.NMS"],
            inclusive=not config["USE_GPU_NMS"],
        )

    def pick(self, scores: Tensor, boxes: Tensor) -> list[Rows]:
        """Rows for each class, the background's empty, from scores R×C and boxes R×4C, or R×8 for class-agnostic ones.

        A RoI counts for every class in which it has more than `thresh`; each class is suppressed by itself. Of equal
        scores the lower RoI comes first. All that tie with the last of max_per_image stay.
        """
        by_class = scores.T[1:].contiguous()  # (C - 1, R)
        counts = (by_class > self.thresh).sum(dim=1).tolist()
        order = torch.sort(-by_class, dim=1, stable=True).indices
        sorted_scores = by_class.gather(1, order)
        sets = boxes.unflatten(1, (-1, 4))  # (R, 4C) -> (R, C, 4)
        agnostic = boxes.shape[1] != 4 * scores.shape[1]
        rows = [np.zeros((0, 5), np.float32)]
        for k, count in enumerate(counts):
            own = sets[order[k, :count], 1 if agnostic else k + 1]
            rows.append(self._suppress(torch.cat((own, sorted_scores[k, :count, None]), dim=1)).numpy())
        return self._best(rows)

    def apply_nms(self, rows: Rows) -> Rows:
        """Suppress a class's detections once more; those without width or height are dropped first."""
        real = rows[(rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])]
        order = np.argsort(-real[:, 4], kind="stable")
        return np.asarray(self._suppress(torch.from_numpy(real[order])).numpy())

    def _suppress(self, rows: Tensor) -> Tensor:
        if len(rows) < 2:
            return rows
        return rows[nms(rows[:, :4], self.nms, inclusive=self.inclusive)]

    def _best(self, rows: list[Rows]) -> list[Rows]:
        """The best of the picture, whatever their class."""
        scores = np.concatenate([found[:, 4] for found in rows])
        if not 0 < self.max_per_image < len(scores):
            return rows
        least = np.partition(scores, -self.max_per_image)[-self.max_per_image]
        return [found[found[:, 4] >= least] for found in rows]


def stacked(rows: Sequence[Rows]) -> Rows:
    """The rows of all classes below each other: N×6, the class last."""
    labels = [np.full((len(found), 1), label, np.float32) for label, found in enumerate(rows)]
    return np.concatenate([np.hstack(pair) for pair in zip(rows, labels, strict=True)])
