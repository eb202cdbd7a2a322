"""ROIPooling and PSROIPooling as ONNX nodes."""

from __future__ import annotations

import numpy as np

from .....layers import NARROWEST, PSROIPoolingLayer, ROIPoolingLayer
from .....layers.boxes import FARTHEST
from ..stage import BOOL, DOUBLE, FLOAT, INT, Stage, Value
from .registry import writes


@writes(ROIPoolingLayer)
def roi_pooling(layer: ROIPoolingLayer, to: Stage, features: Value, rois: Value) -> Value:
    """MaxRoiPool, which is Fast R-CNN's own arithmetic; its lengths have 32 bits, so corners end where they fit."""
    farthest = FARTHEST / 2 / max(1.0, layer.spatial_scale)
    corners = _numbers(_flat(to, rois)).op("Clip", -farthest, farthest)
    shape = [layer.pooled_h, layer.pooled_w]
    return features.op("MaxRoiPool", corners, pooled_shape=shape, spatial_scale=layer.spatial_scale)


@writes(PSROIPoolingLayer)
def psroi_pooling(layer: PSROIPoolingLayer, to: Stage, features: Value, rois: Value) -> Value:
    """The sum over a bin is that of four corners of a table of running sums, in float64, divided by its area.

    A NaN or an infinity in the features spreads to the bins below and to the right of it.
    """
    g, height, width = layer.group_size, features.length(2), features.length(3)
    rois = _flat(to, rois)
    image, corners = rois.between(1, [0], [1]), _round_away(rois.between(1, [1], [5]))  # (R, 1), (R, 4)
    x1, y1, x2, y2 = to.ops("Split", corners, count=4, axis=1)  # (R, 1) each
    (top, bottom), (left, right) = _bins(layer, to, y1, y2, height), _bins(layer, to, x1, x2, width)  # (R, g) each
    rows = [(image.cast(INT) * (height + 1) + edge).unsqueeze(2) for edge in (top, bottom)]  # (R, g, 1)
    columns = [edge.unsqueeze(1) for edge in (left, right)]  # (R, 1, g)
    table, bins = _running_sums(layer, to, features), np.arange(g * g).reshape(g, g)

    def at(row: Value, column: Value) -> Value:
        return table.op("Gather", (row * (width + 1) + column) * (g * g) + bins, axis=0)  # (R, g, g, D)

    sums = at(rows[1], columns[1]) - at(rows[0], columns[1]) - at(rows[1], columns[0]) + at(rows[0], columns[0])
    area = ((bottom - top).unsqueeze(2) * (right - left).unsqueeze(1)).op("Max", 1)  # (R, g, g)
    means = sums / area.cast(DOUBLE).unsqueeze(3)
    return means.op("Transpose", perm=[0, 3, 1, 2]).cast(FLOAT)  # (R, g, g, D) -> (R, D, g, g)


def _running_sums(layer: PSROIPoolingLayer, to: Stage, features: Value) -> Value:
    """The sums of all that lies above and left of a cell's corner, a row for each corner and bin: (…, D)."""
    g, d = layer.group_size, layer.output_dim
    cells = features.op("Transpose", perm=[0, 2, 3, 1]).reshape([0, 0, 0, d, g * g])
    cells = cells.op("Transpose", perm=[0, 1, 2, 4, 3]).cast(DOUBLE)  # (N, H, W, g², D)
    for axis in (1, 2):
        cells = cells.op("CumSum", to.constant(axis, INT))
    framed = cells.op("Pad", to.constant([0, 1, 1, 0, 0, 0, 0, 0, 0, 0], INT))  # (N, H + 1, W + 1, g², D)
    return framed.reshape([-1, d])


def _bins(layer: PSROIPoolingLayer, to: Stage, low: Value, high: Value, size: Value) -> tuple[Value, Value]:
    """First and one past last cell of every bin along one axis, from whole corners, within the map: (R, g) each."""
    g, scale = layer.group_size, layer.spatial_scale
    start, end = low * scale, (high + 1.0) * scale
    step = (end - start).op("Max", NARROWEST) / float(g)
    first = (step * np.arange(g) + start).op("Floor")
    last = (step * np.arange(1, g + 1) + start).op("Ceil")
    limit = size.cast(FLOAT)
    within = (edge.op("Min", limit).op("Max", 0.0).cast(INT) for edge in (first, last))
    return next(within), next(within)


def _round_away(position: Value) -> Value:
    """Round half away from zero: ONNX's Round takes halves to even numbers, and adding 0.5 takes 0.49999997 to 1."""
    position = _numbers(position).op("Clip", -FARTHEST, FARTHEST)
    size = position.op("Abs")
    whole = size.op("Floor")
    return (whole + (size - whole >= 0.5).cast(FLOAT)) * position.op("Sign")


def _numbers(position: Value) -> Value:
    """NaN counts as 0."""
    return position.op("IsNaN", dtype=BOOL).op("Where", position.stage.constant(0.0), position, dtype=FLOAT)


def _flat(to: Stage, rois: Value) -> Value:
    """(R, 5, 1, 1) -> (R, 5)."""
    return rois if len(to.shapes[1]) == 2 else rois.op("Flatten", axis=1)
