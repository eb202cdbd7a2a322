"""Layers that multiply by learned numbers."""

from __future__ import annotations

from ....layers import (
    BiasLayer,
    ConvolutionLayer,
    DeconvolutionLayer,
    EmbedLayer,
    InnerProductLayer,
    ParameterLayer,
    PReLULayer,
    ScaleLayer,
    stretch,
)
from .code import Code, Site, arguments, writes
from .operations import Scale


def _one(numbers: tuple[int, ...], usual: int) -> object:
    """The numbers of an axis each as torch takes them: one if they are equal, None for what torch assumes."""
    if set(numbers) == {usual}:
        return None
    return numbers[0] if len(set(numbers)) == 1 else numbers


@writes("Convolution", "Deconvolution")
def filtering(layer: ConvolutionLayer | DeconvolutionLayer, site: Site, *bottoms: str) -> Code:
    """nn.Conv2d and its kin, once for every bottom; other batch axes are folded into one and unfolded again."""
    if not layer.kernel:
        raise site.refusal("it has no spatial axis: an InnerProduct does the same")
    kind = "Conv" if isinstance(layer, ConvolutionLayer) else "ConvTranspose"
    numbers = {"stride": (layer.stride, 1), "padding": (layer.pad, 0), "dilation": (layer.dilation, 1)}
    made = arguments(
        layer.channels,
        layer.num_output,
        layer.kernel[0] if len(set(layer.kernel)) == 1 else layer.kernel,
        **{name: _one(*given) for name, given in numbers.items()},
        groups=layer.group if layer.group > 1 else None,
        bias=None if layer.bias_term else False,
    )
    if layer.axis == 1:
        calls = [f"{site.me}({x})" for x in bottoms]
    elif layer.axis == 0:
        calls = [f"{site.me}({x}[None])[0]" for x in bottoms]
    else:
        calls = [f"{site.me}({x}.flatten(0, {layer.axis - 1})).unflatten(0, {x}.shape[:{layer.axis}])" for x in bottoms]
    state = dict(zip(("weight", "bias"), layer.params, strict=False))
    return Code(", ".join(calls), f"nn.{kind}{len(layer.kernel)}d({made})", state)


@writes("InnerProduct")
def inner_product(layer: InnerProductLayer, site: Site, x: str) -> Code:
    """nn.Linear on what is flattened."""
    weight, *bias = layer.params
    flat = x if layer.axis == len(site.shapes[0]) - 1 else f"{x}.flatten({layer.axis})"
    state = {"weight": weight.t() if layer.transpose else weight, **({"bias": bias[0]} if bias else {})}
    made = arguments(layer.inputs, layer.num_output, bias=None if bias else False)
    return Code(f"{site.me}({flat})", f"nn.Linear({made})", state)


@writes("Embed")
def embed(layer: EmbedLayer, site: Site, x: str) -> Code:
    """A lookup in a table, written as a linear layer's weight so that there may be a bias."""
    weight, *bias = layer.params
    state = {"weight": weight, **({"bias": bias[0]} if bias else {})}
    made = f"Scale({arguments(*weight.shape, bias=tuple(bias[0].shape) if bias else None)})"
    call = f"F.embedding({x}.long(), {site.me}.weight)" + (f" + {site.me}.bias" if bias else "")
    return Code(call, made, state, (Scale,))


def _spread(values: int, site: Site, axis: int) -> int:
    """How many axes of length 1 a factor of so many axes needs behind it, to meet the bottom from `axis` on."""
    dims = len(site.shapes[0])
    return dims - (axis % dims) - values if values else 0


@writes("Scale")
def scale(layer: ScaleLayer, site: Site, x: str, *factor: str) -> Code:
    """A product, and a sum where there is a bias; the params get the axes that broadcasting wants."""
    params = [stretch(param, site.shapes[0], layer.axis) for param in layer.params]
    if factor:
        behind = "".join(", None" for _ in range(_spread(len(site.shapes[1]), site, layer.axis)))
        product = f"{x} * {factor[0]}" + (f"[...{behind}]" if behind else "")
        if not params:
            return Code(product)
        return Code(f"{product} + {site.me}", _parameter(params[0].shape), {"": params[0]})
    weight, *bias = params
    made = f"Scale({arguments(*weight.shape, bias=tuple(bias[0].shape) if bias else None)})"
    return Code(f"{site.me}({x})", made, dict(zip(("weight", "bias"), params, strict=False)), (Scale,))


@writes("Bias")
def bias(layer: BiasLayer, site: Site, x: str, *term: str) -> Code:
    """A sum."""
    if term:
        behind = "".join(", None" for _ in range(_spread(len(site.shapes[1]), site, layer.axis)))
        return Code(f"{x} + {term[0]}" + (f"[...{behind}]" if behind else ""))
    param = stretch(layer.params[0], site.shapes[0], layer.axis)
    return Code(f"{x} + {site.me}", _parameter(param.shape), {"": param})


@writes("PReLU")
def prelu(layer: PReLULayer, site: Site, x: str) -> Code:
    """nn.PReLU, whose shared slope has an axis."""
    slope = layer.params[0].reshape(-1)
    return Code(f"{site.me}({x})", f"nn.PReLU({len(slope)})", {"weight": slope})


@writes("Parameter")
def parameter(layer: ParameterLayer, site: Site) -> Code:
    """The parameter itself."""
    return Code(site.me, _parameter(layer.params[0].shape), {"": layer.params[0]})


def _parameter(shape: tuple[int, ...]) -> str:
    return f"nn.Parameter(torch.zeros({arguments(*shape) or '()'}))"
