"""Pooling, window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .registry import Array, Given, named, reads

LOWEST = -float(np.finfo(np.float32).max)
LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Windows:
    """Kernel, stride and pad as (rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    rounds_up: bool = True

    def out(self, size: tuple[int, int]) -> list[int]:
        rounded = math.ceil if self.rounds_up else math.floor
        ends = zip(size, self.kernel, self.stride, self.pad, strict=True)
        out = [rounded((n + 2 * p - k) / s) + 1 for n, k, s, p in ends]
        if any(self.pad):  # a last window that begins beyond the bottom is dropped
            clip = zip(out, size, self.stride, self.pad, strict=True)
            out = [o - ((o - 1) * s >= n + p) for o, n, s, p in clip]
        return out


def windows(g: Given) -> Windows:
    p = g.layer.pooling_param

    def pair(name: str, size: str) -> tuple[int, int]:
        if p.HasField(f"{name}_h"):
            return getattr(p, f"{name}_h"), getattr(p, f"{name}_w")
        return (getattr(p, size),) * 2

    kernel = tuple(g.x.shape[2:]) if p.global_pooling else pair("kernel", "kernel_size")
    return Windows(kernel, pair("stride", "stride"), pair("pad", "pad"), named(p, "round_mode") == "CEIL")


def pooled(x: Array, how: str, w: Windows) -> list[Array]:
    """The values and, for MAX, where they are."""
    (height, width), out = x.shape[2:], w.out(x.shape[2:])
    y, mask = np.zeros((*x.shape[:2], *out)), np.full((*x.shape[:2], *out), -1.0)
    for n, c, i, j in np.ndindex(*y.shape):
        top, left = i * w.stride[0] - w.pad[0], j * w.stride[1] - w.pad[1]
        bottom, right = min(top + w.kernel[0], height + w.pad[0]), min(left + w.kernel[1], width + w.pad[1])
        area = (bottom - top) * (right - left)
        rows, cols = range(max(top, 0), min(bottom, height)), range(max(left, 0), min(right, width))
        cells = [(h, v) for h in rows for v in cols]
        seen = [x[n, c, h, v] for h, v in cells]
        if how == "AVE":
            y[n, c, i, j] = np.float64(sum(seen)) / area
        elif how == "MAX":
            y[n, c, i, j] = LOWEST
            for (h, v), value in zip(cells, seen, strict=True):
                if value > y[n, c, i, j]:  # never true of NaN
                    y[n, c, i, j], mask[n, c, i, j] = value, h * width + v
        else:  # STOCHASTIC in TEST
            y[n, c, i, j] = sum(v * v for v in seen) / (LEAST + sum(seen))
    return [y, mask] if how == "MAX" else [y]


@reads("Pooling")
def pooling(g: Given) -> list[Array]:
    how = named(g.layer.pooling_param, "pool")
    assert how != "STOCHASTIC" or g.phase == "TEST", "no reading knows the draws"
    return pooled(g.x, how, windows(g))


@reads("SPP")
def spp(g: Given) -> list[Array]:
    p = g.layer.spp_param
    levels = []
    for level in range(p.pyramid_height):
        kernel = [math.ceil(length / 2**level) for length in g.x.shape[2:]]
        beyond = [k * 2**level - length for k, length in zip(kernel, g.x.shape[2:], strict=True)]
        pad = [(b + 1) // 2 for b in beyond]
        w = Windows((kernel[0], kernel[1]), (kernel[0], kernel[1]), (pad[0], pad[1]))
        levels.append(pooled(g.x, named(p, "pool"), w)[0])
    if p.pyramid_height == 1:
        return levels
    return [np.concatenate([y.reshape(len(y), -1) for y in levels], 1)]
