"""Layers that divide by what is around."""

from __future__ import annotations

import numpy as np

from .registry import Array, Given, canonical, named, reads


def statistics(g: Given) -> tuple[Array, Array]:
    """The means and variances of a batch's channels, each (C,)."""
    rows = np.moveaxis(g.x[:, None] if g.x.ndim == 1 else g.x, 1, 0)
    rows = rows.reshape(len(rows), -1)
    return rows.mean(1), rows.var(1)


def uses_global(g: Given) -> bool:
    p = g.layer.batch_norm_param
    return p.use_global_stats if p.HasField("use_global_stats") else g.phase == "TEST"


@reads("BatchNorm")
def batch_norm(g: Given) -> list[Array]:
    if uses_global(g):
        factor = 0.0 if g.params[2][0] == 0 else 1 / g.params[2][0]
        mean, variance = g.params[0] * factor, g.params[1] * factor
    else:
        mean, variance = statistics(g)
    if g.x.ndim == 1:
        return [(g.x - mean) / np.sqrt(variance + g.layer.batch_norm_param.eps)]
    wide = (-1, *[1] * (g.x.ndim - 2))
    return [(g.x - mean.reshape(wide)) / np.sqrt(variance.reshape(wide) + g.layer.batch_norm_param.eps)]


def batch_norm_after(g: Given) -> list[Array]:
    """The params that a forward leaves."""
    if uses_global(g):
        return g.params
    (mean, variance), fraction = statistics(g), g.layer.batch_norm_param.moving_average_fraction
    m = g.x.size / len(mean)
    added = (mean, variance * (m / (m - 1) if m > 1 else 1.0), np.ones(1))
    return [fraction * param + more for param, more in zip(g.params, added, strict=True)]


@reads("LRN")
def lrn(g: Given) -> list[Array]:
    p = g.layer.lrn_param
    half, within = (p.local_size - 1) // 2, named(p, "norm_region") == "WITHIN_CHANNEL"
    sums = np.zeros_like(g.x)
    for n, c, h, w in np.ndindex(*g.x.shape):
        around = [slice(max(at - half, 0), at + half + 1) for at in (c, h, w)]
        seen = g.x[n, c, around[1], around[2]] if within else g.x[n, around[0], h, w]
        sums[n, c, h, w] = (seen**2).sum()
    numbers = p.local_size**2 if within else p.local_size
    return [g.x / ((1.0 if within else p.k) + p.alpha / numbers * sums) ** p.beta]


@reads("MVN")
def mvn(g: Given) -> list[Array]:
    p = g.layer.mvn_param
    x = g.x.reshape(*g.x.shape, *[1] * (4 - g.x.ndim))
    over = (1, 2, 3) if p.across_channels else (2, 3)
    y = x - x.mean(over, keepdims=True)
    return [y / (np.sqrt((y**2).mean(over, keepdims=True)) + p.eps) if p.normalize_variance else y]


def softmaxed(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@reads("Softmax")
def softmax(g: Given) -> list[Array]:
    return [softmaxed(g.x, canonical(g.layer.softmax_param.axis, g.x))]
