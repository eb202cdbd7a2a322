"""Pooling, and the layers of detectors: proposals and what is pooled for them."""

from __future__ import annotations

from ....layers import Pair, PoolingLayer, ProposalLayer, PSROIPoolingLayer, ROIPoolingLayer, SPPLayer
from .code import Code, Site, writes
from .operations import Proposal, max_pool_with_places, pool, psroi_pool, roi_pool, spp


@writes("Pooling")
def pooling(layer: PoolingLayer, site: Site, x: str) -> Code:
    """A pooling of torch's where its windows are always Caffe's, else one of ours."""
    if layer.pool == "STOCHASTIC" and layer.phase != "TEST":
        raise site.refusal("it draws at random in TRAIN: port the net's TEST phase")
    if layer.pool == "STOCHASTIC" or layer.num_tops > 1:
        return _written_out(layer, x)
    if layer.kernel is None:
        return Code(f"{x}.{'amax' if layer.pool == 'MAX' else 'mean'}((2, 3), keepdim=True)")
    if not _has_caffes_windows(layer, layer.kernel):
        return _written_out(layer, x)
    name = "max_pool2d" if layer.pool == "MAX" else "avg_pool2d"
    padding = f", padding={_short(layer.pad)}" if any(layer.pad) else ""
    ceil = ", ceil_mode=True" if layer.round_mode == "CEIL" else ""
    return Code(f"F.{name}({x}, {_short(layer.kernel)}, {_short(layer.stride)}{padding}{ceil})")


def _has_caffes_windows(layer: PoolingLayer, kernel: Pair) -> bool:
    """Whether torch's windows are Caffe's whatever the plane: it drops empty ones always, and limits padding."""
    if any(2 * p > k for p, k in zip(layer.pad, kernel, strict=True)):
        return False
    return (
        any(layer.pad) or layer.round_mode == "FLOOR" or all(s <= k for s, k in zip(layer.stride, kernel, strict=True))
    )


def _written_out(layer: PoolingLayer, x: str) -> Code:
    settings = f"{layer.kernel}, {layer.stride}, {layer.pad}, {layer.round_mode == 'CEIL'}"
    if layer.num_tops > 1:
        return Code(f"max_pool_with_places({x}, {settings})", uses=(max_pool_with_places,))
    return Code(f'pool({x}, "{layer.pool}", {settings})', uses=(pool,))


def _short(pair: Pair) -> object:
    return pair[0] if pair[0] == pair[1] else pair


@writes("SPP")
def spp_(layer: SPPLayer, site: Site, x: str) -> Code:
    """Pooling on several grids."""
    if layer.pool == "STOCHASTIC":
        raise site.refusal("it draws at random, in TEST too")
    return Code(f'spp({x}, "{layer.pool}", {layer.pyramid_height})', uses=(spp,))


@writes("rpn.proposal_layer.ProposalLayer")
def proposal(layer: ProposalLayer, site: Site, probabilities: str, deltas: str, im_info: str) -> Code:
    """A module that holds the anchors of one cell."""
    if layer.normalization:
        raise site.refusal("it turns back normalised deltas, which it does in TRAIN: port the net's TEST phase")
    rule = layer.rule
    rows = "".join(f"    {row},\n" for row in layer.anchors.base.tolist())
    settings = {
        "feat_stride": layer.anchors.feat_stride,
        "pre_nms_top_n": rule.pre_nms,
        "post_nms_top_n": rule.post_nms,
        "nms_bound": rule.bound,
        "min_size": rule.min_size,
    }
    made = f"Proposal(\n    [\n{rows.replace('    [', '        [')}    ],\n"
    made += "".join(f"    {name}={value!r},\n" for name, value in settings.items()) + ")"
    scores = "" if layer.num_tops > 1 else "[0]"
    return Code(f"{site.me}({probabilities}, {deltas}, {im_info}){scores}", made, uses=(Proposal,))


@writes("ROIPooling")
def roi_pooling(layer: ROIPoolingLayer, site: Site, features: str, rois: str) -> Code:
    """Max pooling with Caffe's rounding."""
    settings = f"{layer.pooled_h}, {layer.pooled_w}, {layer.spatial_scale!r}"
    return Code(f"roi_pool({features}, {rois}, {settings})", uses=(roi_pool,))


@writes("PSROIPooling")
def psroi_pooling(layer: PSROIPoolingLayer, site: Site, features: str, rois: str) -> Code:
    """Position-sensitive average pooling with R-FCN's rounding."""
    settings = f"{layer.group_size}, {layer.spatial_scale!r}"
    return Code(f"psroi_pool({features}, {rois}, {settings})", uses=(psroi_pool,))
