"""Means and deviations of an RPN's box targets over a data set, which py-R-FCN measures before the first step."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from ....layers import AnchorTargetLayer
from ....layers.boxes import arithmetic as boxes
from ....layers.boxes import inside, overlap, usable
from ....prototxt.net import Net
from ....prototxt.text import Config, NetText
from ...datasets import Entry, Roidb, scale_to
from ..errors import TrainingError

_SCORES = "rpn_cls_score"
Four = tuple[float, float, float, float]


def rpn_spread(train: NetText, test: NetText, roidb: Roidb, config: Config) -> tuple[Four, Four]:
    """Means and deviations of dx, dy, dw, dh over the positive anchors of all pictures, at TEST's first scale.

    The anchors are those of the train net, the size of the RPN's map is the test net's; positive is what overlaps a
    truth by RPN_POSITIVE_OVERLAP or more, or more than all others do.
    """
    layers = [
        part for part in Net(train, "TRAIN", config=config).layers.values() if isinstance(part, AnchorTargetLayer)
    ]
    if len(layers) != 1:
        raise TrainingError(f"{train.name}: has {len(layers)} AnchorTargetLayers, and one is to be measured")

    @cache
    def cells(side: int) -> int:
        """How many cells the map has along a side of so many pixels."""
        return Net(test, config=config, shapes={"data": (1, 3, side, side)}).blob_shapes[_SCORES][-1]

    count, sums, squares = 0, np.zeros(4), np.zeros(4)
    for entry in roidb.entries:
        scale = scale_to(entry.height, entry.width, config["TEST.SCALES"][0], config["TEST.MAX_SIZE"])
        height, width = round(entry.height * scale), round(entry.width * scale)
        found = _targets(layers[0], entry, scale, (height, width), (cells(height), cells(width)))
        count, sums, squares = count + len(found), sums + found.sum(axis=0), squares + (found**2).sum(axis=0)
    if not count:
        raise TrainingError("no anchor lies within a picture that has objects: there are no box targets to measure")
    means = sums / count
    return _four(means), _four(np.sqrt(squares / count - means**2))


def _targets(
    layer: AnchorTargetLayer, entry: Entry, scale: float, size: tuple[int, int], cells: tuple[int, int]
) -> NDArray[np.float64]:
    """The targets of a picture's positive anchors, (P, 4), in float32's precision as they are trained on."""
    anchors = layer.anchors.over(*cells, torch.device("cpu"))
    anchors = anchors[inside(anchors, *size)]
    truths = usable(torch.from_numpy(entry.boxes.astype(np.float64) * scale), plus=1)
    overlaps = overlap(anchors, truths, plus=1)
    if not overlaps.numel():
        return np.zeros((0, 4))
    positive = layer.rule.label(overlaps) == 1
    matched = truths[overlaps.argmax(dim=1)]
    found: NDArray[np.float64] = boxes.transform(anchors, matched, 1)[positive].float().double().numpy()
    return found


def _four(values: NDArray[np.float64]) -> Four:
    x, y, w, h = values.tolist()
    return x, y, w, h
