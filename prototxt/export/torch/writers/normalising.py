"""Layers that shift and scale by channel or neighbourhood, and Softmax, as PyTorch code."""

from __future__ import annotations

from .....layers import BatchNormLayer, BiasLayer, LRNLayer, MVNLayer, ScaleLayer, SoftmaxLayer, stretch
from ...refusals import ExportError
from ..code import Code, Site, arguments, zeros
from ..operations import Scale, lrn_within, mvn
from .registry import writes


@writes(BatchNormLayer)
def batch_norm(layer: BatchNormLayer, site: Site, x: str) -> Code:
    """nn.BatchNorm2d and its kin, with Caffe's sums divided by their weight."""
    if not layer.use_global_stats:
        raise ExportError("it takes the batch's statistics: port the TEST net, or say use_global_stats: true")
    mean, variance = layer.statistics_of_channels()
    dims = len(site.shapes[0])
    kind = {4: "2d", 5: "3d"}.get(dims, "1d")
    calls = {1: f"{site.me}({x}[:, None])[:, 0]", 2: f"{site.me}({x})", 3: f"{site.me}({x})"}
    call = calls.get(dims, f"{site.me}({x})" if dims < 6 else f"{site.me}({x}.flatten(2)).reshape({x}.shape)")
    made = f"nn.BatchNorm{kind}({arguments(len(mean), eps=None if layer.eps == 1e-5 else layer.eps, affine=False)})"
    return Code(call, made, {"running_mean": mean, "running_var": variance})


@writes(LRNLayer)
def lrn(layer: LRNLayer, site: Site, x: str) -> Code:
    """What torch has across channels; within a channel it has nothing."""
    size, rest = layer.local_size, f"alpha={layer.alpha!r}, beta={layer.beta!r}"
    if layer.norm_region == "WITHIN_CHANNEL":
        return Code(f"lrn_within({x}, {size}, {rest})", uses=(lrn_within,))
    return Code(f"F.local_response_norm({x}, {size}, {rest}, k={layer.k!r})")


@writes(MVNLayer)
def mvn_(layer: MVNLayer, site: Site, x: str) -> Code:
    """Mean 0, deviation 1, with eps outside the root."""
    dims = len(site.shapes[0])
    x = x + f"[{', '.join([':'] * dims + ['None'] * (4 - dims))}]" if dims < 4 else x
    return Code(f"mvn({x}, {layer.dims}, {layer.normalize_variance}, {layer.eps!r})", uses=(mvn,))


def _spread(values: int, site: Site, axis: int) -> int:
    """How many axes of length 1 a factor of so many axes needs behind it, to meet the bottom from `axis` on."""
    dims = len(site.shapes[0])
    return dims - (axis % dims) - values if values else 0


@writes(ScaleLayer)
def scale(layer: ScaleLayer, site: Site, x: str, *factor: str) -> Code:
    """A product, and a sum where there is a bias; the params get the axes that broadcasting wants."""
    params = [stretch(param, site.shapes[0], layer.axis) for param in layer.params]
    if factor:
        behind = "".join(", None" for _ in range(_spread(len(site.shapes[1]), site, layer.axis)))
        product = f"{x} * {factor[0]}" + (f"[...{behind}]" if behind else "")
        if not params:
            return Code(product)
        return Code(f"{product} + {site.me}", zeros(params[0].shape), {"": params[0]})
    weight, *bias = params
    made = f"Scale({arguments(*weight.shape, bias=tuple(bias[0].shape) if bias else None)})"
    return Code(f"{site.me}({x})", made, dict(zip(("weight", "bias"), params, strict=False)), (Scale,))


@writes(BiasLayer)
def bias(layer: BiasLayer, site: Site, x: str, *term: str) -> Code:
    """A sum."""
    if term:
        behind = "".join(", None" for _ in range(_spread(len(site.shapes[1]), site, layer.axis)))
        return Code(f"{x} + {term[0]}" + (f"[...{behind}]" if behind else ""))
    param = stretch(layer.params[0], site.shapes[0], layer.axis)
    return Code(f"{x} + {site.me}", zeros(param.shape), {"": param})


@writes(SoftmaxLayer)
def softmax(layer: SoftmaxLayer, site: Site, x: str) -> Code:
    """Tensor.softmax."""
    return Code(f"{x}.softmax({layer.axis})")
