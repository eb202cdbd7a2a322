"""Layers that treat every number by itself, as ONNX nodes."""

from __future__ import annotations

from .....layers import (
    AbsValLayer,
    BNLLLayer,
    ClipLayer,
    DropoutLayer,
    EltwiseLayer,
    ELULayer,
    ExpLayer,
    Layer,
    LogLayer,
    PowerLayer,
    PReLULayer,
    ReLULayer,
    SigmoidLayer,
    SwishLayer,
    TanHLayer,
    ThresholdLayer,
)
from ...refusals import DRAWS, ExportError
from ..stage import FLOAT, Stage, Value
from .registry import writes

_KINDS = {AbsValLayer: "Abs", BNLLLayer: "Softplus", SigmoidLayer: "Sigmoid", TanHLayer: "Tanh"}


@writes(*_KINDS)
def plain(layer: Layer, to: Stage, x: Value) -> Value:
    """An operator of ONNX's without attributes."""
    return x.op(_KINDS[type(layer)])


@writes(ReLULayer)
def relu(layer: ReLULayer, to: Stage, x: Value) -> Value:
    """Relu, or LeakyRelu where there is a slope."""
    return x.op("LeakyRelu", alpha=layer.negative_slope) if layer.negative_slope else x.op("Relu")


@writes(PReLULayer)
def prelu(layer: PReLULayer, to: Stage, x: Value) -> Value:
    """PRelu; its slopes must meet the bottom's axes from the end."""
    channels = layer.param_shapes[0] or (1,)
    return x.op("PRelu", to.param(0, (*channels, *(1,) * (len(to.shapes[0]) - 2))))


@writes(ELULayer)
def elu(layer: ELULayer, to: Stage, x: Value) -> Value:
    """Elu."""
    return x.op("Elu", alpha=layer.alpha)


@writes(PowerLayer)
def power(layer: PowerLayer, to: Stage, x: Value) -> Value:
    """(shift + scale * x)^power."""
    base = _affine(x, layer.scale, layer.shift)
    return base if layer.power == 1 else base.op("Pow", layer.power)


@writes(ExpLayer)
def exp(layer: ExpLayer, to: Stage, x: Value) -> Value:
    """The factor times e^(rate * x)."""
    return _affine(_affine(x, layer.rate).op("Exp"), layer.factor)


@writes(LogLayer)
def log(layer: LogLayer, to: Stage, x: Value) -> Value:
    """Log of shift + scale * x, times the factor."""
    return _affine(_affine(x, layer.scale, layer.shift).op("Log"), layer.factor)


def _affine(x: Value, scale: float, shift: float = 0.0) -> Value:
    x = x * scale if scale != 1 else x
    return x + shift if shift else x


@writes(ClipLayer)
def clip(layer: ClipLayer, to: Stage, x: Value) -> Value:
    """Clip; if min is above max, ONNX would give max and Caffe gives min."""
    return x.op("Clip", layer.min, max(layer.min, layer.max))


@writes(SwishLayer)
def swish(layer: SwishLayer, to: Stage, x: Value) -> Value:
    """The bottom times its own sigmoid."""
    return x * _affine(x, layer.beta).op("Sigmoid")


@writes(ThresholdLayer)
def threshold(layer: ThresholdLayer, to: Stage, x: Value) -> Value:
    """1 above the threshold."""
    return (x > layer.threshold).cast(FLOAT)


@writes(DropoutLayer)
def dropout(layer: DropoutLayer, to: Stage, x: Value) -> Value:
    """What the TEST phase does: nothing, or the older rule's factor."""
    if layer.phase != "TEST":
        raise ExportError(DRAWS)
    return x.op("Identity") if layer.scale_train else x * (1 - layer.dropout_ratio)


@writes(EltwiseLayer)
def eltwise(layer: EltwiseLayer, to: Stage, first: Value, *others: Value) -> Value:
    """Sum, Max, or a chain of Mul."""
    if layer.operation == "MAX":
        return first.op("Max", *others)
    if layer.operation == "PROD":
        for other in others:
            first = first * other
        return first
    terms = (first, *others)
    if layer.coeff:
        terms = tuple(_affine(x, c) for c, x in zip(layer.coeff, terms, strict=True))
    return to.op("Sum", *terms)
