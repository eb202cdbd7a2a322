"""Layers that move numbers and their axes, and those that reduce axes, as ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from .....layers import (
    ArgMaxLayer,
    BatchReindexLayer,
    ConcatLayer,
    CropLayer,
    FlattenLayer,
    ParameterLayer,
    ReductionLayer,
    ReshapeLayer,
    SilenceLayer,
    SliceLayer,
    SplitLayer,
    TileLayer,
    canonical_axis,
)
from ..stage import FLOAT, INT, Stage, Value
from .registry import writes

_END = np.iinfo(np.int64).max
"""As far as an axis goes."""


@writes(ParameterLayer)
def parameter(layer: ParameterLayer, to: Stage) -> Value:
    """The param itself."""
    return to.params[0]


@writes(SilenceLayer)
def silence(layer: SilenceLayer, to: Stage, *bottoms: Value) -> tuple[Value, ...]:
    """Nothing."""
    return ()


@writes(SplitLayer)
def split(layer: SplitLayer, to: Stage, x: Value) -> tuple[Value, ...]:
    """The bottom itself: in ONNX a value may be read several times."""
    return (x,) * to.num_tops


@writes(ConcatLayer)
def concat(layer: ConcatLayer, to: Stage, *bottoms: Value) -> Value:
    """Concat."""
    return to.op("Concat", *bottoms, axis=canonical_axis(layer.axis, to.shapes[0]))


@writes(SliceLayer)
def slices(layer: SliceLayer, to: Stage, x: Value) -> tuple[Value, ...]:
    """Split into equal lengths, or a Slice for each top."""
    axis = canonical_axis(layer.axis, to.shapes[0])
    if not layer.slice_point:
        return to.ops("Split", x, count=to.num_tops, axis=axis)
    points = pairwise((0, *layer.slice_point, _END))
    return tuple(x.between(axis, [start], [end]) for start, end in points)


@writes(CropLayer)
def crop(layer: CropLayer, to: Stage, x: Value, reference: Value) -> Value:
    """Slice to the reference's lengths."""
    rank = len(to.shapes[0])
    axes = range(canonical_axis(layer.axis, to.shapes[0]), rank)
    offsets = layer.offset if len(layer.offset) == len(axes) else (layer.offset or (0,)) * len(axes)
    ends = reference.lengths(axes.start, rank) + offsets
    return x.op("Slice", *(to.value(bound, INT) for bound in (offsets, ends, axes)))


@writes(TileLayer)
def tile(layer: TileLayer, to: Stage, x: Value) -> Value:
    """Tile."""
    axis = canonical_axis(layer.axis, to.shapes[0])
    repeats = [layer.tiles if i == axis else 1 for i in range(len(to.shapes[0]))]
    return x.op("Tile", to.constant(repeats, INT))


@writes(FlattenLayer)
def flatten(layer: FlattenLayer, to: Stage, x: Value) -> Value:
    """Flatten, or a Reshape whose joint length is computed."""
    rank = len(to.shapes[0])
    start, end = canonical_axis(layer.axis, to.shapes[0]), canonical_axis(layer.end_axis, to.shapes[0]) + 1
    if (start, end) == (1, rank):
        return x.op("Flatten", axis=1)
    joint = x.lengths(start, end).op("ReduceProd", axes=[0], keepdims=1)
    return x.op("Reshape", to.op("Concat", *_around(x, start, joint, end, rank), dtype=INT, axis=0), allowzero=1)


def _around(x: Value, start: int, middle: Value, end: int, rank: int) -> Iterator[Value]:
    """The lengths of x, those from `start` to `end` replaced."""
    if start:
        yield x.lengths(0, start)
    yield middle
    if end < rank:
        yield x.lengths(end, rank)


@writes(ReshapeLayer)
def reshape(layer: ReshapeLayer, to: Stage, x: Value) -> Value:
    """Reshape, in which 0 and -1 mean what they mean in Caffe, as long as no axis moves."""
    rank = len(to.shapes[0])
    start = layer.axis if layer.axis >= 0 else rank + 1 + layer.axis
    end = rank if layer.num_axes == -1 else start + layer.num_axes
    if end == rank or len(layer.dims) == end - start:
        return x.reshape([0] * start + list(layer.dims) + [0] * (rank - end))
    dims = [x.length(start + i) if dim == 0 else to.constant([dim], INT) for i, dim in enumerate(layer.dims)]
    middle = to.op("Concat", *dims, dtype=INT, axis=0) if dims else to.constant([], INT)
    return x.reshape(to.op("Concat", *_around(x, start, middle, end, rank), dtype=INT, axis=0))


@writes(BatchReindexLayer)
def batch_reindex(layer: BatchReindexLayer, to: Stage, x: Value, items: Value) -> Value:
    """Gather items."""
    return x.op("Gather", items.cast(INT), axis=0)


@writes(ReductionLayer)
def reduction(layer: ReductionLayer, to: Stage, x: Value) -> Value:
    """One of ONNX's reductions, times coeff."""
    axes = list(range(canonical_axis(layer.axis, to.shapes[0]), len(to.shapes[0])))
    if layer.operation == "SUM":
        y = x.op("ReduceSum", to.constant(axes, INT), keepdims=0)
    else:
        kind = {"ASUM": "ReduceL1", "SUMSQ": "ReduceSumSquare", "MEAN": "ReduceMean"}[layer.operation]
        y = x.op(kind, axes=axes, keepdims=0)
    return y * layer.coeff if layer.coeff != 1 else y


@writes(ArgMaxLayer)
def argmax(layer: ArgMaxLayer, to: Stage, x: Value) -> Value:
    """TopK; it takes the first of equal values, Caffe the last, so the axis is turned round."""
    if layer.axis is not None:
        values, places = _largest(layer.top_k, canonical_axis(layer.axis, to.shapes[0]), to, x)
        return values if layer.out_max_val else places()
    values, places = _largest(layer.top_k, 1, to, x.op("Flatten", axis=1))
    top = places().unsqueeze(1)
    if layer.out_max_val:
        top = to.op("Concat", top, values.unsqueeze(1), axis=1)
    return top.unsqueeze(*range(3, len(to.shapes[0])))


def _largest(top_k: int, axis: int, to: Stage, x: Value) -> tuple[Value, Callable[[], Value]]:
    """The top_k largest along an axis, and what draws their places."""
    turned = x.between(axis, [-1], [-_END], -1)
    values, places = to.ops("TopK", turned, to.constant([top_k], INT), count=2, axis=axis)
    return values, lambda: x.length(axis).cast(FLOAT) - 1.0 - Value(to, places.name, INT).cast(FLOAT)
