"""Pooling and SPP as ONNX nodes.

ONNX's operators, version by version, have other rules than Caffe for a last window that starts in the padding and for
what an average counts. They are used as they are where that makes no difference for planes of any size; elsewhere the
plane is first padded or cut so that exactly Caffe's windows cover it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .....layers import PoolingLayer, SPPLayer
from .....layers.boxes import LOWEST
from ...refusals import DRAWS, DRAWS_ALWAYS, ExportError
from ..stage import FLOAT, INT, Stage, Value
from .registry import writes

_TINY = float(np.finfo(np.float32).tiny)


@writes(PoolingLayer)
def pooling(layer: PoolingLayer, to: Stage, x: Value) -> tuple[Value, ...] | Value:
    """Maximum, average, or what STOCHASTIC gives in TEST."""
    if layer.pool == "STOCHASTIC":
        return _stochastic(layer, to, x)
    if layer.kernel is None:
        return _whole_plane(layer, to, x)
    return _average(layer, to, x) if layer.pool == "AVE" else _maximum(layer, to, x)


def _whole_plane(layer: PoolingLayer, to: Stage, x: Value) -> tuple[Value, ...] | Value:
    if layer.pool == "AVE":
        return x.op("GlobalAveragePool")
    if to.num_tops == 1:
        return x.op("GlobalMaxPool")
    mask = x.reshape([0, 0, -1]).op("ArgMax", dtype=INT, axis=2)  # (N, C, H, W) -> (N, C, H * W) -> (N, C, 1)
    return x.op("GlobalMaxPool"), mask.cast(FLOAT).unsqueeze(3)


def _maximum(layer: PoolingLayer, to: Stage, x: Value) -> tuple[Value, ...]:
    kernel, pad = _kernel(layer), (0, 0)
    fields: dict[str, Any] = {"kernel_shape": kernel, "strides": layer.stride}
    if layer.round_mode == "FLOOR" or all(s <= k - p for s, k, p in zip(layer.stride, kernel, layer.pad, strict=True)):
        plane = x
        fields |= {"pads": layer.pad * 2, "ceil_mode": int(layer.round_mode == "CEIL")}
    else:
        # The Max changes no maximum: it keeps onnxruntime from taking the margin for the operator's own pads.
        plane, pad = _framed(layer, to, x, LOWEST)[0].op("Max", LOWEST), layer.pad
    top, *index = to.ops("MaxPool", plane, count=to.num_tops, **fields)
    return (top, *(_mask(x, plane, pad, top, Value(to, found.name, INT)) for found in index))


def _mask(x: Value, plane: Value, pad: tuple[int, int], top: Value, index: Value) -> Value:
    """Where in x each maximum lies, from where it lies among all planes; -1 where a window holds nothing."""
    cell = index.op("Mod", plane.length(2) * plane.length(3))
    row, column = cell / plane.length(3) - pad[0], cell.op("Mod", plane.length(3)) - pad[1]
    place = (row * x.length(3) + column).cast(FLOAT)
    return (top > LOWEST).op("Where", place, place.stage.constant(-1.0), dtype=FLOAT)


def _average(layer: PoolingLayer, to: Stage, x: Value) -> Value:
    kernel = _kernel(layer)
    fields: dict[str, Any] = {"kernel_shape": kernel, "strides": layer.stride}
    if layer.round_mode == "FLOOR" or layer.stride == (1, 1):
        return x.op("AveragePool", pads=layer.pad * 2, count_include_pad=1, **fields)
    if layer.pad == (0, 0) and all(s <= k for s, k in zip(layer.stride, kernel, strict=True)):
        return x.op("AveragePool", ceil_mode=1, **fields)
    framed, counts = _framed(layer, to, x, 0.0)
    sides = []
    for axis, (k, s, p, count) in enumerate(zip(kernel, layer.stride, layer.pad, counts, strict=True)):
        whole = (count.op("Squeeze"), to.constant(1, INT))
        start = to.op("Range", to.constant(0, INT), *whole, dtype=INT) * s
        sides.append(((start + k).op("Min", x.length(2 + axis) + 2 * p) - start).cast(FLOAT))
    return _sums(layer, framed) / (sides[0].unsqueeze(1) * sides[1])


def _sums(layer: PoolingLayer, framed: Value) -> Value:
    """The sum of each window. A factor, other than 1, before the mean keeps the margin from being taken for pads."""
    kernel = _kernel(layer)
    whole = framed * float(-kernel[0] * kernel[1])
    return whole.op("AveragePool", kernel_shape=kernel, strides=layer.stride).op("Neg")


def _stochastic(layer: PoolingLayer, to: Stage, x: Value) -> Value:
    """The sum of squares over the sum; the least number keeps a window of zeros from dividing by zero."""
    if layer.phase != "TEST":
        raise ExportError(DRAWS)
    if layer.kernel is None:
        axes = to.constant([2, 3], INT)
        return (x * x).op("ReduceSum", axes) / (x.op("ReduceSum", axes) + _TINY)
    framed, _ = _framed(layer, to, x, 0.0)
    return _sums(layer, framed * framed) / (_sums(layer, framed) + _TINY)


def _kernel(layer: PoolingLayer) -> tuple[int, int]:
    assert layer.kernel is not None
    return layer.kernel


def _framed(layer: PoolingLayer, to: Stage, x: Value, value: float) -> tuple[Value, list[Value]]:
    """The plane padded or cut so that exactly Caffe's windows cover it, and their count along each axis."""
    counts, ends = [], []
    for axis, (k, s, p) in enumerate(zip(_kernel(layer), layer.stride, layer.pad, strict=True)):
        length = x.length(2 + axis)
        count = (length + (2 * p - k + (s - 1 if layer.round_mode == "CEIL" else 0))) / s + 1
        if any(layer.pad):
            count = count - ((count - 1) * s >= length + p).cast(INT)
        counts.append(count)
        ends.append((count - 1) * s + (k - p) - length)
    return _padded(to, x, [to.constant([p], INT) for p in layer.pad], ends, value), counts


def _padded(to: Stage, x: Value, starts: list[Value], ends: list[Value], value: float) -> Value:
    """The plane with a margin on each side; a negative one cuts."""
    none = to.constant([0, 0], INT)
    return x.op("Pad", to.op("Concat", none, *starts, none, *ends, dtype=INT, axis=0), value)


@writes(SPPLayer)
def spp(layer: SPPLayer, to: Stage, x: Value) -> Value:
    """Every level by windows that do not overlap: an axis of 2^l * k numbers becomes one of 2^l and one of k."""
    if layer.pool == "STOCHASTIC":
        raise ExportError(DRAWS_ALWAYS)
    levels = [_level(layer, to, x, 1 << level) for level in range(layer.pyramid_height)]
    return levels[0] if len(levels) == 1 else to.op("Concat", *(x.op("Flatten", axis=1) for x in levels), axis=1)


def _level(layer: SPPLayer, to: Stage, x: Value, bins: int) -> Value:
    kernels, starts, ends = [], [], []
    for length in (x.length(2), x.length(3)):
        kernels.append((length + (bins - 1)) / bins)
        starts.append((kernels[-1] * bins - length + 1) / 2)
        ends.append(kernels[-1] * bins - length - starts[-1])
    plane = _padded(to, x, starts, ends, LOWEST if layer.pool == "MAX" else 0.0)
    count = to.constant([bins], INT)
    shape = to.op("Concat", x.lengths(0, 2), count, kernels[0], count, kernels[1], dtype=INT, axis=0)
    windows = plane.reshape(shape)  # (N, C, bins * k, bins * m) -> (N, C, bins, k, bins, m)
    return windows.op("ReduceMax" if layer.pool == "MAX" else "ReduceMean", axes=[3, 5], keepdims=0)
