"""Pooling and SPP as PyTorch code."""

from __future__ import annotations

from .....layers import Pair, PoolingLayer, SPPLayer
from ...refusals import DRAWS, DRAWS_ALWAYS, ExportError
from ..code import Code, Site
from ..operations import max_pool_with_places, pool, spp
from .registry import writes


@writes(PoolingLayer)
def pooling(layer: PoolingLayer, site: Site, x: str) -> Code:
    """A pooling of torch's where its windows are always Caffe's, else one of ours."""
    if layer.pool == "STOCHASTIC" and layer.phase != "TEST":
        raise ExportError(DRAWS)
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


@writes(SPPLayer)
def spp_(layer: SPPLayer, site: Site, x: str) -> Code:
    """Pooling on several grids."""
    if layer.pool == "STOCHASTIC":
        raise ExportError(DRAWS_ALWAYS)
    return Code(f'spp({x}, "{layer.pool}", {layer.pyramid_height})', uses=(spp,))
