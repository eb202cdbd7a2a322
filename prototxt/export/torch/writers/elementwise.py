"""Layers that treat every number by itself, as PyTorch code."""

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
from ..code import Code, Site
from .registry import writes

_CALLS = {
    AbsValLayer: "{x}.abs()",
    BNLLLayer: "F.softplus({x})",
    SigmoidLayer: "{x}.sigmoid()",
    TanHLayer: "{x}.tanh()",
}


@writes(*_CALLS)
def plain(layer: Layer, site: Site, x: str) -> Code:
    """A function of torch's without settings."""
    return Code(_CALLS[type(layer)].format(x=x))


@writes(ReLULayer)
def relu(layer: ReLULayer, site: Site, x: str) -> Code:
    """F.relu, or with a slope F.leaky_relu."""
    return Code(f"F.leaky_relu({x}, {layer.negative_slope!r})" if layer.negative_slope else f"F.relu({x})")


@writes(PReLULayer)
def prelu(layer: PReLULayer, site: Site, x: str) -> Code:
    """nn.PReLU, whose shared slope has an axis."""
    slope = layer.params[0].reshape(-1)
    return Code(f"{site.me}({x})", f"nn.PReLU({len(slope)})", {"weight": slope})


@writes(ELULayer)
def elu(layer: ELULayer, site: Site, x: str) -> Code:
    """F.elu."""
    return Code(f"F.elu({x}, {layer.alpha!r})")


@writes(SwishLayer)
def swish(layer: SwishLayer, site: Site, x: str) -> Code:
    """The bottom times a sigmoid."""
    return Code(f"{x} * ({layer.beta!r} * {x}).sigmoid()")


@writes(ThresholdLayer)
def threshold(layer: ThresholdLayer, site: Site, x: str) -> Code:
    """1 where the bottom is above the threshold, else 0."""
    return Code(f"({x} > {layer.threshold!r}).to({x}.dtype)")


@writes(ClipLayer)
def clip(layer: ClipLayer, site: Site, x: str) -> Code:
    """Two clamps, since crossed limits mean the lower one here."""
    return Code(f"{x}.clamp(max={layer.max!r}).clamp(min={layer.min!r})")


@writes(PowerLayer)
def power(layer: PowerLayer, site: Site, x: str) -> Code:
    """Scale, shift and power, as far as they do anything."""
    base = x if layer.scale == 1 else f"{layer.scale!r} * {x}"
    base = base if layer.shift == 0 else f"{layer.shift!r} + {base}"
    return Code(base if layer.power == 1 else f"({base}).pow({layer.power!r})")


@writes(ExpLayer)
def exp(layer: ExpLayer, site: Site, x: str) -> Code:
    """The number e to a multiple of the bottom, times a factor."""
    return Code(f"{layer.factor!r} * ({layer.rate!r} * {x}).exp()")


@writes(LogLayer)
def log(layer: LogLayer, site: Site, x: str) -> Code:
    """A multiple of the natural logarithm."""
    return Code(f"{layer.factor!r} * ({layer.shift!r} + {layer.scale!r} * {x}).log()")


@writes(DropoutLayer)
def dropout(layer: DropoutLayer, site: Site, x: str) -> Code:
    """Nothing in TEST, or by the older rule a factor."""
    if layer.phase != "TEST":
        raise ExportError(DRAWS)
    return Code(x if layer.scale_train else f"{x} * {1 - layer.dropout_ratio!r}")


@writes(EltwiseLayer)
def eltwise(layer: EltwiseLayer, site: Site, *bottoms: str) -> Code:
    """Sums, products, maxima."""
    if layer.operation == "MAX":
        first, *others = bottoms
        for x in others:
            first = f"torch.maximum({first}, {x})"
        return Code(first)
    if layer.operation == "PROD":
        return Code(" * ".join(bottoms))
    terms = [f"{c!r} * {x}" for c, x in zip(layer.coeff, bottoms, strict=True)] if layer.coeff else bottoms
    return Code(" + ".join(terms))
