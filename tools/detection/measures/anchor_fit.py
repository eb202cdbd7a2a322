"""How well anchors fit the objects of a data set, and which would fit better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor

from ....layers.boxes import RATIOS, SCALES, AnchorGrid, inside, iou
from ....prototxt.text import Config
from ...datasets import PictureSet, picture_size, scale_to
from .recall import AREAS, Floats

_SIZES = ("all", "small", "medium", "large")


@dataclass(frozen=True)
class AnchorSettings:
    """The anchors of a proposal layer, by its own fields."""

    feat_stride: float = 16
    scales: tuple[float, ...] = SCALES
    ratios: tuple[float, ...] = RATIOS
    base_size: float = 16

    @property
    def param_str(self) -> str:
        """What to write in a prototxt, at all three Python layers of an RPN that have anchors."""
        fields = {"feat_stride": f"{self.feat_stride:g}", "scales": list(self.scales), "ratios": list(self.ratios)}
        return "\\n".join(f"'{name}': {value}" for name, value in fields.items())


@dataclass(frozen=True)
class ScaledPicture:
    """A picture as the net sees it in training: its size there, its objects' boxes there, and their own areas."""

    height: int
    width: int
    boxes: Tensor
    areas: Floats


@dataclass(frozen=True)
class Fit:
    """For each object the overlap with the anchor that fits it best, and its area in pixels of the picture."""

    overlaps: Floats
    areas: Floats

    def lines(self) -> list[str]:
        """How many objects an anchor fits, by their size."""
        lines = []
        for name in _SIZES:
            chosen = self.overlaps[(self.areas >= AREAS[name][0]) & (self.areas <= AREAS[name][1])]
            if len(chosen):
                shares = ", ".join(f"{(chosen >= least).mean():6.1%} at {least}" for least in (0.5, 0.7))
                lines.append(f"  {name:7}{len(chosen):7} objects: {shares}, mean overlap {chosen.mean():.3f}")
        return lines


def scenes_of(pictures: PictureSet, config: Config) -> list[ScaledPicture]:
    """The pictures at the first scale of TRAIN.SCALES; crowds are left out."""
    scenes = []
    for picture in pictures.pictures():
        width, height = picture_size(picture.path)
        truths = pictures.truths(picture, (width, height))
        scale = scale_to(height, width, config["TRAIN.SCALES"][0], config["TRAIN.MAX_SIZE"])
        boxes = torch.from_numpy(truths.boxes[~truths.crowd].astype(np.float64) * scale)
        areas = truths.areas[~truths.crowd].astype(np.float64)
        scenes.append(ScaledPicture(round(height * scale), round(width * scale), boxes, areas))
    return scenes


def fit(anchors: AnchorSettings, scenes: Sequence[ScaledPicture]) -> Fit:
    """Hold every object against all anchors that lie in the picture, as training does."""
    grid = AnchorGrid(anchors.feat_stride, anchors.scales, anchors.ratios, anchors.base_size)
    overlaps = [np.zeros(0)]
    for scene in scenes:
        rows, columns = (ceil(side / anchors.feat_stride) for side in (scene.height, scene.width))
        placed = grid.over(rows, columns, torch.device("cpu"))
        placed = placed[inside(placed, scene.height, scene.width)]
        best = iou(scene.boxes, placed).amax(dim=1) if len(placed) else torch.zeros(len(scene.boxes))
        overlaps.append(best.numpy())
    return Fit(np.concatenate(overlaps), np.concatenate([np.zeros(0), *(scene.areas for scene in scenes)]))


def better(anchors: AnchorSettings, scenes: Sequence[ScaledPicture], scales: int, ratios: int) -> AnchorSettings:
    """So many scales and ratios, the centres of the objects' sizes and shapes on logarithmic scales (k-means)."""
    boxes = torch.cat([scene.boxes for scene in scenes]).numpy()
    width, height = boxes[:, 2] - boxes[:, 0] + 1, boxes[:, 3] - boxes[:, 1] + 1
    sizes = np.sqrt(width * height) / anchors.base_size
    return AnchorSettings(
        anchors.feat_stride, _centres(sizes, scales), _centres(height / width, ratios), anchors.base_size
    )


def _centres(values: Floats, count: int) -> tuple[float, ...]:
    """k-means of logarithms, from their quantiles on, so that the same values give the same centres."""
    logs = np.log(values)
    centres = np.quantile(logs, (np.arange(count) + 0.5) / count)
    while True:
        nearest = np.abs(logs[:, None] - centres).argmin(axis=1)
        members = [logs[nearest == k] for k in range(count)]
        moved = np.array([own.mean() if len(own) else centre for own, centre in zip(members, centres, strict=True)])
        if np.allclose(moved, centres, rtol=0, atol=1e-9):
            return tuple(float(f"{value:.3g}") for value in np.exp(moved))
        centres = moved
