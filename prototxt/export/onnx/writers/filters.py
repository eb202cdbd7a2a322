"""Convolution, Deconvolution, InnerProduct and Embed as ONNX nodes."""

from __future__ import annotations

from .....layers import ConvolutionLayer, DeconvolutionLayer, EmbedLayer, FilteringLayer, InnerProductLayer
from ...refusals import NO_DILATION, OVERHANG, ExportError
from ..stage import INT, Stage, Value
from .registry import writes


@writes(ConvolutionLayer)
def convolution(layer: ConvolutionLayer, to: Stage, *bottoms: Value) -> tuple[Value, ...]:
    """Conv, once for each bottom."""
    return tuple(_filter(layer, to, "Conv", x) for x in bottoms)


@writes(DeconvolutionLayer)
def deconvolution(layer: DeconvolutionLayer, to: Stage, *bottoms: Value) -> tuple[Value, ...]:
    """ConvTranspose, once for each bottom."""
    return tuple(_filter(layer, to, "ConvTranspose", x) for x in bottoms)


def _filter(layer: FilteringLayer, to: Stage, kind: str, x: Value) -> Value:
    """ONNX wants one axis of items and a spatial axis at least; others are joined, or put in."""
    if 0 in layer.dilation:
        raise ExportError(NO_DILATION)
    if layer.hangs_over(to.shapes[0][layer.axis + 1 :]):
        raise ExportError(OVERHANG)
    kernel, pad = layer.kernel or (1,), layer.pad or (0,)
    shape, *shapes = layer.param_shapes
    weight = to.param(0, shape if layer.kernel else (*shape, 1))
    bias = [to.param(1, shape) for shape in shapes]
    x = x if layer.kernel else x.unsqueeze(len(to.shapes[0]))
    batch = None if layer.axis == 1 else x.lengths(0, layer.axis)
    if batch:
        x = x.reshape(to.op("Concat", to.constant([-1], INT), x.lengths(layer.axis), dtype=INT, axis=0))
    y = to.op(
        kind,
        x,
        weight,
        *bias,
        kernel_shape=kernel,
        pads=pad * 2,
        strides=layer.stride or (1,),
        dilations=layer.dilation or (1,),
        group=layer.group,
    )
    if batch:
        y = y.reshape(to.op("Concat", batch, y.lengths(1), dtype=INT, axis=0))
    return y if layer.kernel else y.op("Squeeze", to.constant([layer.axis + 1], INT))


@writes(InnerProductLayer)
def inner_product(layer: InnerProductLayer, to: Stage, x: Value) -> Value:
    """Gemm on the flattened bottom."""
    rank = len(to.shapes[0])
    flat = x if (rank, layer.axis) == (2, 1) else x.op("Flatten", axis=layer.axis)
    y = to.op("Gemm", flat, *to.params, transB=int(not layer.transpose))
    if layer.axis == 1:
        return y
    shape = to.constant([layer.num_output], INT)
    return y.reshape(to.op("Concat", x.lengths(0, layer.axis), shape, dtype=INT, axis=0) if layer.axis else shape)


@writes(EmbedLayer)
def embed(layer: EmbedLayer, to: Stage, words: Value) -> Value:
    """Gather rows of the table."""
    table, *bias = to.params
    rows = table.op("Gather", words.cast(INT), axis=0)
    return rows + bias[0] if bias else rows
