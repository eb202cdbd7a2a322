"""Layers that move numbers and their axes, and those that reduce axes, as PyTorch code."""

from __future__ import annotations

from .....layers import (
    ArgMaxLayer,
    BatchReindexLayer,
    ConcatLayer,
    CropLayer,
    FilterLayer,
    FlattenLayer,
    Layer,
    ParameterLayer,
    ReductionLayer,
    ReshapeLayer,
    SliceLayer,
    TileLayer,
    canonical_axis,
)
from ..code import Code, Site, zeros
from ..operations import argmax
from .registry import writes


@writes(ParameterLayer)
def parameter(layer: ParameterLayer, site: Site) -> Code:
    """The parameter itself."""
    return Code(site.me, zeros(layer.params[0].shape), {"": layer.params[0]})


@writes(ReshapeLayer)
def reshape(layer: ReshapeLayer, site: Site, x: str) -> Code:
    """The lengths that stay are taken from the bottom, so that it may be of any size."""
    dims = len(site.shapes[0])
    start = layer.axis if layer.axis >= 0 else dims + 1 + layer.axis
    end = dims if layer.num_axes == -1 else start + layer.num_axes
    middle = [f"{x}.shape[{start + i}]" if dim == 0 else str(dim) for i, dim in enumerate(layer.dims)]
    sides = [f"*{x}.shape[:{start}]"] if start else [], [f"*{x}.shape[{end}:]"] if end < dims else []
    return Code(f"{x}.reshape({', '.join([*sides[0], *middle, *sides[1]]) or '()'})")


@writes(FlattenLayer)
def flatten(layer: FlattenLayer, site: Site, x: str) -> Code:
    """Tensor.flatten, which joins one axis at least."""
    start, end = (canonical_axis(axis, site.shapes[0]) for axis in (layer.axis, layer.end_axis))
    if end < start:
        return Code(f"{x}.unsqueeze({start})")
    return Code(
        f"{x}.flatten({layer.axis}, {layer.end_axis})" if layer.end_axis != -1 else f"{x}.flatten({layer.axis})"
    )


@writes(ConcatLayer)
def concat(layer: ConcatLayer, site: Site, *bottoms: str) -> Code:
    """torch.cat."""
    return Code(f"torch.cat([{', '.join(bottoms)}], {layer.axis})")


@writes(SliceLayer)
def slice_(layer: SliceLayer, site: Site, x: str) -> Code:
    """Equal pieces, or a cut before each of the points."""
    if layer.num_tops == 1:
        return Code(x)
    cuts = list(layer.slice_point) or layer.num_tops
    return Code(f"torch.tensor_split({x}, {cuts}, {layer.axis})")


@writes(TileLayer)
def tile(layer: TileLayer, site: Site, x: str) -> Code:
    """Copies one behind the other."""
    return Code(f"torch.cat([{x}] * {layer.tiles}, {layer.axis})")


@writes(CropLayer)
def crop(layer: CropLayer, site: Site, x: str, reference: str) -> Code:
    """A narrow for every axis that is cut."""
    axes = range(canonical_axis(layer.axis, site.shapes[0]), len(site.shapes[0]))
    offsets = layer.offset if len(layer.offset) == len(axes) else (layer.offset or (0,)) * len(axes)
    for axis, offset in zip(axes, offsets, strict=True):
        x += f".narrow({axis}, {offset}, {reference}.shape[{axis}])"
    return Code(x)


@writes(BatchReindexLayer)
def batch_reindex(layer: Layer, site: Site, x: str, items: str) -> Code:
    """Items by their numbers."""
    return Code(f"{x}[{items}.long()]")


@writes(FilterLayer)
def filter_(layer: FilterLayer, site: Site, *bottoms: str) -> Code:
    """Items by their selector, which is the last bottom."""
    *blobs, selector = bottoms
    return Code(", ".join(f"{x}[{selector}.flatten() != 0]" for x in blobs))


@writes(ArgMaxLayer)
def argmax_(layer: ArgMaxLayer, site: Site, x: str) -> Code:
    """Caffe's own rule for equal numbers and for the top's shape."""
    call = f"argmax({x}, {layer.top_k}, {layer.axis}, {layer.out_max_val})"
    return Code(call, uses=(argmax,))


@writes(ReductionLayer)
def reduction(layer: ReductionLayer, site: Site, x: str) -> Code:
    """A sum or a mean over all axes from one on."""
    dims = len(site.shapes[0])
    axes = tuple(range(canonical_axis(layer.axis, site.shapes[0]), dims))
    terms = {"ASUM": f"{x}.abs()", "SUMSQ": f"{x}.square()"}.get(layer.operation, x)
    reduced = f"{terms}.{'mean' if layer.operation == 'MEAN' else 'sum'}({axes})"
    return Code(reduced if layer.coeff == 1 else f"{layer.coeff!r} * {reduced}")
