"""Convolution, Deconvolution, InnerProduct and Embed as PyTorch code."""

from __future__ import annotations

from .....layers import ConvolutionLayer, DeconvolutionLayer, EmbedLayer, InnerProductLayer
from ...refusals import MANY_AXES, NO_DILATION, OVERHANG, ExportError
from ..code import Code, Site, arguments
from ..operations import Scale
from .registry import writes


def _one(numbers: tuple[int, ...], usual: int) -> object:
    """The numbers of an axis each as torch takes them: one if they are equal, None for what torch assumes."""
    if set(numbers) == {usual}:
        return None
    return numbers[0] if len(set(numbers)) == 1 else numbers


@writes(ConvolutionLayer, DeconvolutionLayer)
def filtering(layer: ConvolutionLayer | DeconvolutionLayer, site: Site, *bottoms: str) -> Code:
    """nn.Conv2d and its kin, once for every bottom; other batch axes are folded into one and unfolded again."""
    if not layer.kernel:
        raise ExportError("it has no spatial axis: an InnerProduct does the same")
    if len(layer.kernel) > len(layer.operators):
        raise ExportError(MANY_AXES)
    if 0 in layer.dilation:
        raise ExportError(NO_DILATION)
    if any(layer.hangs_over(shape[layer.axis + 1 :]) for shape in site.shapes):
        raise ExportError(OVERHANG)
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


@writes(InnerProductLayer)
def inner_product(layer: InnerProductLayer, site: Site, x: str) -> Code:
    """nn.Linear on what is flattened."""
    weight, *bias = layer.params
    flat = x if layer.axis == len(site.shapes[0]) - 1 else f"{x}.flatten({layer.axis})"
    state = {"weight": weight.t() if layer.transpose else weight, **({"bias": bias[0]} if bias else {})}
    made = arguments(layer.inputs, layer.num_output, bias=None if bias else False)
    return Code(f"{site.me}({flat})", f"nn.Linear({made})", state)


@writes(EmbedLayer)
def embed(layer: EmbedLayer, site: Site, x: str) -> Code:
    """A lookup in a table, written as a linear layer's weight so that there may be a bias."""
    weight, *bias = layer.params
    state = {"weight": weight, **({"bias": bias[0]} if bias else {})}
    made = f"Scale({arguments(*weight.shape, bias=tuple(bias[0].shape) if bias else None)})"
    call = f"F.embedding({x}.long(), {site.me}.weight)" + (f" + {site.me}.bias" if bias else "")
    return Code(call, made, state, (Scale,))
