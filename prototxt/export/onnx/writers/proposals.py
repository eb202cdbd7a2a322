"""The proposal layer as ONNX nodes."""

from __future__ import annotations

import numpy as np

from .....layers import ProposalLayer
from ...refusals import TURNS_BACK, ExportError
from ..stage import BOOL, DOUBLE, FLOAT, INT, Stage, Value
from .registry import writes

_LARGEST = float(np.finfo(np.float32).max)


@writes(ProposalLayer)
def proposal(layer: ProposalLayer, to: Stage, probabilities: Value, deltas: Value, im_info: Value) -> tuple[Value, ...]:
    """The layer's steps, by numbers; equal scores keep the order of their anchors."""
    if layer.normalization:
        raise ExportError(TURNS_BACK)
    rule, count = layer.rule, len(layer.anchors)
    height, width, scale = to.ops("Split", im_info, count=3, axis=1)  # (1, 1) each
    # 1. (1, 2A, H, W) -> (H * W * A,), and boxes (H * W * A, 4)
    scores = _rows(probabilities.between(1, [count], [2 * count])).reshape([-1])
    moves = _rows(deltas).reshape([-1, 4])
    boxes = _clipped(to, _moved(to, _anchors(layer, to, deltas), moves), height, width)
    # 2. those that are large enough and finite
    least = (scale.cast(DOUBLE) * rule.min_size).cast(FLOAT)
    x1, y1, x2, y2 = to.ops("Split", boxes, count=4, axis=1)
    large = (x2 - x1 + rule.plus >= least) & (y2 - y1 + rule.plus >= least)  # (H * W * A, 1)
    real = _all_finite(moves) & _all_finite(scores.unsqueeze(1))
    rows = (large & real).reshape([-1])
    boxes, scores = (found.op("Compress", rows, axis=0) for found in (boxes, scores))
    # 3. the best of them
    limit = scores.length(0)
    limit = limit.op("Min", [rule.pre_nms]) if rule.pre_nms > 0 else limit
    best, order = to.ops("TopK", scores, limit, count=2, axis=0)
    boxes = boxes.op("Gather", Value(to, order.name, INT), axis=0)
    # 4. and 5.
    kept = _suppressed(layer, to, boxes)
    rois = boxes.op("Gather", kept, axis=0).op("Pad", to.constant([0, 1, 0, 0], INT))  # (R, 4) -> (R, 5)
    return (rois, best.op("Gather", kept, axis=0).unsqueeze(1)) if to.num_tops == 2 else (rois,)


def _rows(maps: Value) -> Value:
    """(1, C, H, W) -> (1, H, W, C): the order of the anchors."""
    return maps.op("Transpose", perm=[0, 2, 3, 1])


def _anchors(layer: ProposalLayer, to: Stage, deltas: Value) -> Value:
    """The base moved to every cell: (A, 4) -> (H * W * A, 4)."""
    stride = layer.anchors.feat_stride
    y, x = (_steps(to, deltas.length(axis)) * stride for axis in (2, 3))
    y, x = y.reshape([-1, 1, 1, 1]), x.reshape([1, -1, 1, 1])
    # (H, 1, 1, 1) and (1, W, 1, 1), each for the corners that it moves, and (A, 4) -> (H, W, A, 4)
    shift = x * np.array([1, 0, 1, 0]) + y * np.array([0, 1, 0, 1])
    return (shift + layer.anchors.base.numpy()).cast(FLOAT).reshape([-1, 4])


def _steps(to: Stage, length: Value) -> Value:
    """0, 1, ... in float64."""
    end = length.op("Squeeze").cast(DOUBLE)
    return to.op("Range", to.constant(0, DOUBLE), end, to.constant(1, DOUBLE), dtype=DOUBLE)


def _moved(to: Stage, anchors: Value, moves: Value) -> Value:
    """Anchors moved by deltas; the far corners are centre + size / 2 without a -1."""
    x1, y1, x2, y2 = to.ops("Split", anchors, count=4, axis=1)
    dx, dy, dw, dh = to.ops("Split", moves, count=4, axis=1)
    near, far = [], []
    for low, high, shift, growth in ((x1, x2, dx, dw), (y1, y2, dy, dh)):
        size = high - low + 1.0
        centre = shift * size + (low + size * 0.5)
        half = growth.op("Exp") * size * 0.5
        near.append(centre - half)
        far.append(centre + half)
    return to.op("Concat", *near, *far, axis=1)


def _clipped(to: Stage, boxes: Value, height: Value, width: Value) -> Value:
    """Boxes cut to the picture."""
    last = [(side.cast(DOUBLE) - 1.0).cast(FLOAT) for side in (width, height)]
    return boxes.op("Min", to.op("Concat", *last, *last, axis=1)).op("Max", 0.0)


def _all_finite(rows: Value) -> Value:
    """Whether no number of a row is NaN or infinite: (N, K) -> (N, 1)."""
    finite = rows.op("Abs").op("LessOrEqual", _LARGEST, dtype=BOOL)
    return finite.cast(FLOAT).op("ReduceMin", axes=[1], keepdims=1) > 0.5


def _suppressed(layer: ProposalLayer, to: Stage, boxes: Value) -> Value:
    """The rows that non-maximum suppression keeps, best first.

    NonMaxSuppression wants the far edges, an overlap above its threshold and scores: falling ones keep the order.
    """
    rule = layer.rule
    if rule.bound <= 0:
        raise ExportError(
            f"it suppresses boxes that do not meet, with a threshold of {rule.nms_thresh:g}: give one above 0"
        )
    edges = (boxes + np.array([0, 0, rule.plus, rule.plus])).unsqueeze(0)
    falling = (_steps(to, boxes.length(0)) * -1.0).cast(FLOAT).reshape([1, 1, -1])
    limit = to.constant([rule.post_nms], INT) if rule.post_nms > 0 else boxes.length(0)
    threshold = min(np.nextafter(np.float32(rule.bound), np.float32(0)), np.float32(1))
    chosen = edges.op("NonMaxSuppression", falling, limit, to.constant([threshold]), dtype=INT)
    return chosen.between(1, [2], [3]).reshape([-1])
