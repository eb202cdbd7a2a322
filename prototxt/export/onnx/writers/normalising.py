"""Layers that shift and scale by channel or neighbourhood, and Softmax, as ONNX nodes."""

from __future__ import annotations

from .....layers import BatchNormLayer, BiasLayer, LRNLayer, MVNLayer, ScaleLayer, Shape, SoftmaxLayer, canonical_axis
from ..stage import Stage, Value
from .registry import writes


@writes(BiasLayer)
def bias(layer: BiasLayer, to: Stage, x: Value, *given: Value) -> Value:
    """Add what is stretched over the other axes."""
    return x + (_stretched(layer.axis, to, given[0]) if given else _param(0, layer.axis, to))


@writes(ScaleLayer)
def scale(layer: ScaleLayer, to: Stage, x: Value, *given: Value) -> Value:
    """Multiply, and add the bias."""
    y = x * (_stretched(layer.axis, to, given[0]) if given else _param(0, layer.axis, to))
    return y + _param(1 - len(given), layer.axis, to) if layer.bias_term else y


def _param(index: int, axis: int, to: Stage) -> Value:
    """A param with axes of length 1 behind it: ONNX aligns shapes at their ends, Caffe at `axis`."""
    shape = to.layer.param_shapes[index]
    return to.param(index, (*shape, *(1,) * _behind(shape, axis, to.shapes[0])))


def _stretched(axis: int, to: Stage, factor: Value) -> Value:
    """The same of a bottom."""
    shape = to.shapes[1]
    return factor.unsqueeze(*range(len(shape), len(shape) + _behind(shape, axis, to.shapes[0])))


def _behind(factor: Shape, axis: int, bottom: Shape) -> int:
    """How many axes of the bottom follow those of a factor."""
    return len(bottom) - canonical_axis(axis, bottom) - len(factor) if factor else 0


@writes(BatchNormLayer)
def batch_norm(layer: BatchNormLayer, to: Stage, x: Value) -> Value:
    """A factor and a shift for each channel, or the batch's own statistics."""
    rank = len(to.shapes[0])
    if not layer.use_global_stats:
        axes = [axis for axis in range(rank) if axis != 1]
        return _normalised(x, axes, layer.eps)
    factor, shift = (value.cpu().numpy() for value in layer.affine())
    stretched = (-1, *(1,) * (rank - 2)) if rank > 1 else (1,)
    return x * factor.reshape(stretched) + shift.reshape(stretched)


def _normalised(x: Value, axes: list[int], eps: float) -> Value:
    """Mean 0 and variance 1 over these axes."""
    centred = x - x.op("ReduceMean", axes=axes, keepdims=1)
    variance = (centred * centred).op("ReduceMean", axes=axes, keepdims=1)
    return centred / (variance + eps).op("Sqrt")


@writes(MVNLayer)
def mvn(layer: MVNLayer, to: Stage, x: Value) -> Value:
    """Centre, and divide by the deviation plus eps."""
    rank = len(to.shapes[0])
    x = x.unsqueeze(*range(rank, 4))
    axes = list(layer.dims)
    centred = x - x.op("ReduceMean", axes=axes, keepdims=1)
    if not layer.normalize_variance:
        return centred
    return centred / ((centred * centred).op("ReduceMean", axes=axes, keepdims=1).op("Sqrt") + layer.eps)


@writes(LRNLayer)
def lrn(layer: LRNLayer, to: Stage, x: Value) -> Value:
    """LRN, or within a channel what a mean over windows makes of it."""
    size = layer.local_size
    if layer.norm_region == "ACROSS_CHANNELS":
        return x.op("LRN", size=size, alpha=layer.alpha, beta=layer.beta, bias=layer.k)
    half = [size // 2] * 4
    mean = (x * x).op("AveragePool", kernel_shape=[size] * 2, pads=half, count_include_pad=1)
    return x * (mean * layer.alpha + 1).op("Pow", -layer.beta)


@writes(SoftmaxLayer)
def softmax(layer: SoftmaxLayer, to: Stage, x: Value) -> Value:
    """Softmax."""
    return x.op("Softmax", axis=canonical_axis(layer.axis, to.shapes[0]))
