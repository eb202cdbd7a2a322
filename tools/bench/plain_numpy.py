"""Proposals and overlaps in plain NumPy loops, as a yardstick for `recaffe bench`; nothing else uses it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...layers.boxes import all_anchors, caffe_anchors

Array = npt.NDArray[np.float32]
Array64 = npt.NDArray[np.float64]


def scene(height: int, width: int) -> tuple[Array, Array, Array]:
    """Scores that rise around a few objects, small deltas and im_info, as a trained net gives them."""
    rng = np.random.RandomState(0)
    rows, columns = np.mgrid[:height, :width]
    heat = sum(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 40) for y, x in rng.uniform(0, height, (7, 2)))
    foreground = heat[None] * 0.7 + rng.uniform(0, 0.3, (9, height, width))
    scores = np.concatenate([1 - foreground, foreground])[None].astype(np.float32)
    deltas = (rng.standard_normal((1, 36, height, width)) * 0.1).astype(np.float32)
    return scores, deltas, np.array([[height * 16 - 8, width * 16 - 8, 1.6]], np.float32)


def truths(count: int) -> Array:
    """Ground truth boxes somewhere in a 600×1000 image."""
    rng = np.random.RandomState(1)
    corner = rng.uniform(0, 1, (count, 2)) * (600, 300)
    size = rng.uniform(60, 300, (count, 2))
    return np.hstack([corner, corner + size, rng.randint(1, 21, (count, 1))]).astype(np.float32)


def proposals(
    scores: Array, deltas: Array, info: Array, stride: int, before: int, after: int, threshold: float, min_size: int
) -> Array:
    """Anchors, deltas, clip, filter, sort, non-maximum suppression."""
    height, width = scores.shape[-2:]
    anchors = np.asarray(all_anchors(caffe_anchors(), height, width, stride), np.float32)
    scores = scores[0, 9:].transpose(1, 2, 0).ravel()
    moves = deltas[0].transpose(1, 2, 0).reshape(-1, 4)
    size = anchors[:, 2:] - anchors[:, :2] + 1
    centre = anchors[:, :2] + size / 2 + moves[:, :2] * size
    half = np.exp(moves[:, 2:]) * size / 2
    limit = np.array([info[0, 1] - 1, info[0, 0] - 1], np.float32)
    boxes = np.hstack([np.clip(centre - half, 0, limit), np.clip(centre + half, 0, limit)])
    keep = np.all(boxes[:, 2:] - boxes[:, :2] + 1 >= min_size * info[0, 2], axis=1)
    boxes, scores = boxes[keep], scores[keep]
    boxes = boxes[scores.argsort()[::-1][:before]]
    return boxes[_suppress(boxes, threshold)[:after]]


def _suppress(boxes: Array, threshold: float) -> list[int]:
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    order, kept = np.arange(len(boxes)), []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(int(first))
        low, high = np.maximum(boxes[first, :2], boxes[rest, :2]), np.minimum(boxes[first, 2:], boxes[rest, 2:])
        common = np.maximum(0, high - low + 1).prod(axis=1)
        order = rest[common / (areas[first] + areas[rest] - common) < threshold]
    return kept


def anchor_overlaps(height: int, width: int, stride: int, boxes: Array) -> Array64:
    """The overlap of every anchor with every ground truth box, a loop over the boxes."""
    anchors = np.asarray(all_anchors(caffe_anchors(), height, width, stride), np.float64)
    areas = (anchors[:, 2:] - anchors[:, :2] + 1).prod(axis=1)
    out = np.empty((len(anchors), len(boxes)))
    for k, box in enumerate(boxes[:, :4].astype(np.float64)):
        low, high = np.maximum(anchors[:, :2], box[:2]), np.minimum(anchors[:, 2:], box[2:])
        common = np.maximum(0, high - low + 1).prod(axis=1)
        out[:, k] = common / (areas + (box[2:] - box[:2] + 1).prod() - common)
    return out
