"""Layers that divide by what is around."""

from __future__ import annotations

from ....layers import BatchNormLayer, LRNLayer, MVNLayer
from .code import Code, Site, arguments, writes
from .operations import lrn_within, mvn


@writes("BatchNorm")
def batch_norm(layer: BatchNormLayer, site: Site, x: str) -> Code:
    """nn.BatchNorm2d and its kin, with Caffe's sums divided by their weight."""
    if not layer.use_global_stats:
        raise site.refusal("it takes the batch's statistics: port the net's TEST phase, or say use_global_stats: true")
    mean, variance = layer.statistics_of_channels()
    dims = len(site.shapes[0])
    kind = {4: "2d", 5: "3d"}.get(dims, "1d")
    calls = {1: f"{site.me}({x}[:, None])[:, 0]", 2: f"{site.me}({x})", 3: f"{site.me}({x})"}
    call = calls.get(dims, f"{site.me}({x})" if dims < 6 else f"{site.me}({x}.flatten(2)).reshape({x}.shape)")
    made = f"nn.BatchNorm{kind}({arguments(len(mean), eps=None if layer.eps == 1e-5 else layer.eps, affine=False)})"
    return Code(call, made, {"running_mean": mean, "running_var": variance})


@writes("LRN")
def lrn(layer: LRNLayer, site: Site, x: str) -> Code:
    """What torch has across channels; within a channel it has nothing."""
    size, rest = layer.local_size, f"alpha={layer.alpha!r}, beta={layer.beta!r}"
    if layer.norm_region == "WITHIN_CHANNEL":
        return Code(f"lrn_within({x}, {size}, {rest})", uses=(lrn_within,))
    return Code(f"F.local_response_norm({x}, {size}, {rest}, k={layer.k!r})")


@writes("MVN")
def mvn_(layer: MVNLayer, site: Site, x: str) -> Code:
    """Mean 0, deviation 1, with eps outside the root."""
    dims = len(site.shapes[0])
    x = x + f"[{', '.join([':'] * dims + ['None'] * (4 - dims))}]" if dims < 4 else x
    return Code(f"mvn({x}, {layer.dims}, {layer.normalize_variance}, {layer.eps!r})", uses=(mvn,))
