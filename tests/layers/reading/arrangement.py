"""Layers that move numbers and change none."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .registry import Array, Given, canonical, reads


@reads("BatchReindex")
def batch_reindex(g: Given) -> list[Array]:
    return [np.stack([g.x[int(number)] for number in g.bottoms[1]])]


@reads("Concat")
def concat(g: Given) -> list[Array]:
    p = g.layer.concat_param
    return [np.concatenate(g.bottoms, p.concat_dim if p.HasField("concat_dim") else canonical(p.axis, g.x))]


@reads("Crop")
def crop(g: Given) -> list[Array]:
    x, like = g.bottoms
    p = g.layer.crop_param
    axis, given = canonical(p.axis, x), list(p.offset)
    offsets = given if len(given) > 1 else (given or [0]) * (x.ndim - axis)
    cut = [slice(None)] * axis
    cut += [slice(start, start + length) for start, length in zip(offsets, like.shape[axis:], strict=True)]
    return [x[tuple(cut)]]


@reads("Embed")
def embed(g: Given) -> list[Array]:
    words = g.x.astype(int).ravel()
    rows = np.stack([g.params[0][word] for word in words])
    if g.layer.embed_param.bias_term:
        rows = rows + g.params[1]
    return [rows.reshape(*g.x.shape, -1)]


@reads("Filter")
def filtered(g: Given) -> list[Array]:
    *blobs, selector = g.bottoms
    kept = [n for n, picks in enumerate(selector.ravel()) if picks != 0]
    return [blob[kept] for blob in blobs]


@reads("Flatten")
def flatten(g: Given) -> list[Array]:
    p = g.layer.flatten_param
    first, last = canonical(p.axis, g.x), canonical(p.end_axis, g.x)
    joined = math.prod(g.x.shape[first : last + 1])
    return [g.x.reshape(*g.x.shape[:first], joined, *g.x.shape[last + 1 :])]


@reads("Parameter")
def parameter(g: Given) -> list[Array]:
    return [g.params[0]]


@reads("Reshape")
def reshape(g: Given) -> list[Array]:
    p, shape = g.layer.reshape_param, g.x.shape
    start = p.axis if p.axis >= 0 else g.x.ndim + p.axis + 1
    end = g.x.ndim if p.num_axes == -1 else start + p.num_axes
    dims = [shape[start + i] if dim == 0 else dim for i, dim in enumerate(p.shape.dim)]
    return [g.x.reshape(*shape[:start], *dims, *shape[end:])]


@reads("Silence")
def silence(g: Given) -> list[Array]:
    return []


@reads("Slice")
def sliced(g: Given) -> list[Array]:
    p = g.layer.slice_param
    axis = p.slice_dim if p.HasField("slice_dim") else canonical(p.axis, g.x)
    length = g.x.shape[axis]
    cuts = list(p.slice_point) or [length // g.tops * i for i in range(1, g.tops)]
    return [np.take(g.x, range(a, b), axis) for a, b in pairwise([0, *cuts, length])]


@reads("Split")
def split(g: Given) -> list[Array]:
    return [g.x] * g.tops


@reads("Tile")
def tile(g: Given) -> list[Array]:
    p = g.layer.tile_param
    return [np.concatenate([g.x] * p.tiles, canonical(p.axis, g.x))]
