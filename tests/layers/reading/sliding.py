"""Convolutions and what they are made of: windows one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .registry import Array, Given, canonical, reads


@dataclass(frozen=True)
class Geometry:
    """Numbers of each spatial axis."""

    kernel: list[int]
    stride: list[int]
    pad: list[int]
    dilation: list[int]

    def out(self, size: Sequence[int]) -> list[int]:
        """How many windows an axis has; C++ divides towards zero."""
        over = [
            n + 2 * p - d * (k - 1) - 1 for n, p, d, k in zip(size, self.pad, self.dilation, self.kernel, strict=True)
        ]
        return [math.trunc(o / s) + 1 for o, s in zip(over, self.stride, strict=True)]


def geometry(g: Given, axis: int) -> Geometry:
    p, axes = g.layer.convolution_param, g.x.ndim - axis - 1

    def each(name: str, default: int) -> list[int]:
        short = name.removesuffix("_size")
        if short != "dilation" and (p.HasField(f"{short}_h") or p.HasField(f"{short}_w")):
            return [getattr(p, f"{short}_h"), getattr(p, f"{short}_w")]
        given = list(getattr(p, name)) or [default]
        return given * axes if len(given) == 1 else given

    return Geometry(each("kernel_size", 0), each("stride", 1), each("pad", 0), each("dilation", 1))


def columns(x: Array, geo: Geometry) -> Array:
    """x (N, C, *size) as (N, C, *kernel, *out): what each place of the kernel sees, 0 outside."""
    out = geo.out(x.shape[2:])
    seen = np.zeros((*x.shape[:2], *geo.kernel, *out))
    for j in np.ndindex(*geo.kernel):
        for i in np.ndindex(*out):
            at = [s * a + d * b - p for s, a, d, b, p in zip(geo.stride, i, geo.dilation, j, geo.pad, strict=True)]
            if all(0 <= a < n for a, n in zip(at, x.shape[2:], strict=True)):
                seen[(slice(None), slice(None), *j, *i)] = x[(slice(None), slice(None), *at)]
    return seen


@reads("Convolution")
def convolution(g: Given) -> list[Array]:
    p = g.layer.convolution_param
    return [_convolved(g, x, canonical(p.axis, g.x)) for x in g.bottoms]


def _convolved(g: Given, x: Array, axis: int) -> Array:
    p, geo = g.layer.convolution_param, geometry(g, axis)
    seen = columns(x.reshape(-1, *x.shape[axis:]), geo)
    n, out = len(seen), seen.shape[2 + len(geo.kernel) :]
    # (N, groups, C / groups * kernel, out)
    seen = seen.reshape(n, p.group, -1, math.prod(out))
    weight = g.params[0].reshape(p.group, p.num_output // p.group, -1)
    y = np.einsum("gok,ngki->ngoi", weight, seen).reshape(n, p.num_output, -1)
    if p.bias_term:
        y = y + g.params[1][:, None]
    return y.reshape(*x.shape[:axis], p.num_output, *out)


@reads("Deconvolution")
def deconvolution(g: Given) -> list[Array]:
    axis = canonical(g.layer.convolution_param.axis, g.x)
    return [_spread(g, x, axis) for x in g.bottoms]


def _spread(g: Given, x: Array, axis: int) -> Array:
    p, geo = g.layer.convolution_param, geometry(g, axis)
    size, batch = x.shape[axis + 1 :], x.shape[:axis]
    x = x.reshape(-1, p.group, x.shape[axis] // p.group, *size)
    weight = g.params[0].reshape(p.group, -1, p.num_output // p.group, *geo.kernel)
    whole = [
        s * (n - 1) + d * (k - 1) + 1 for s, n, d, k in zip(geo.stride, size, geo.dilation, geo.kernel, strict=True)
    ]
    y = np.zeros((len(x), p.num_output, *whole))
    for j in np.ndindex(*geo.kernel):
        shares = np.einsum("gco,ngc...->ngo...", weight[(..., *j)], x).reshape(len(x), p.num_output, *size)
        for i in np.ndindex(*size):
            at = tuple(s * a + d * b for s, a, d, b in zip(geo.stride, i, geo.dilation, j, strict=True))
            y[(slice(None), slice(None), *at)] += shares[(slice(None), slice(None), *i)]
    y = y[(..., *(slice(pad, length - pad) for pad, length in zip(geo.pad, whole, strict=True)))]
    if p.bias_term:
        y = y + g.params[1].reshape(-1, *[1] * len(whole))
    return y.reshape(*batch, *y.shape[1:])


@reads("Im2col")
def im2col(g: Given) -> list[Array]:
    axis = canonical(g.layer.convolution_param.axis, g.x)
    geo = geometry(g, axis)
    seen = columns(g.x.reshape(-1, *g.x.shape[axis:]), geo)
    out = seen.shape[2 + len(geo.kernel) :]
    return [seen.reshape(*g.x.shape[:axis], -1, *out)]
