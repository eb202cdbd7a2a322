"""RoI pooling. Where bins begin and end is float32's arithmetic, as in Caffe; what is in them is not."""

from __future__ import annotations

import math

import numpy as np

from .registry import Array, Given, reads

F = np.float32


def away(x: np.float32) -> int:
    """Rounded, a half away from zero."""
    return int(math.copysign(math.floor(abs(float(x)) + 0.5), x))


def clipped(start: int, end: int, length: int) -> range:
    return range(min(max(start, 0), length), min(max(end, 0), length))


def max_bins(low: float, high: float, scale: float, bins: int, length: int) -> list[range]:
    """ROIPooling's bins along an axis."""
    first, last = away(F(low) * F(scale)), away(F(high) * F(scale))
    step = F(max(last - first + 1, 1)) / F(bins)
    edges = [(math.floor(F(k) * step), math.ceil(F(k + 1) * step)) for k in range(bins)]
    return [clipped(first + a, first + b, length) for a, b in edges]


@reads("ROIPooling")
def roi_pooling(g: Given) -> list[Array]:
    p, (x, rois) = g.layer.roi_pooling_param, g.bottoms
    y = np.zeros((len(rois), x.shape[1], p.pooled_h, p.pooled_w))
    for r, (image, x1, y1, x2, y2) in enumerate(rois.reshape(len(rois), 5)):
        rows = max_bins(y1, y2, p.spatial_scale, p.pooled_h, x.shape[2])
        cols = max_bins(x1, x2, p.spatial_scale, p.pooled_w, x.shape[3])
        for c, i, j in np.ndindex(*y.shape[1:]):
            cells = [x[int(image), c, h, w] for h in rows[i] for w in cols[j]]
            y[r, c, i, j] = max(cells, default=0.0)
    return [y]


def mean_bins(low: float, high: float, scale: float, bins: int, length: int) -> list[range]:
    """PSROIPooling's bins along an axis."""
    start, end = F(away(F(low))) * F(scale), F(away(F(high)) + 1) * F(scale)
    step = F(max(end - start, F(0.1))) / F(bins)
    edges = [(math.floor(F(k) * step + start), math.ceil(F(k + 1) * step + start)) for k in range(bins)]
    return [clipped(a, b, length) for a, b in edges]


@reads("PSROIPooling")
def psroi_pooling(g: Given) -> list[Array]:
    p, (x, rois) = g.layer.psroi_pooling_param, g.bottoms
    size = p.group_size
    y = np.zeros((len(rois), p.output_dim, size, size))
    for r, (image, x1, y1, x2, y2) in enumerate(rois.reshape(len(rois), 5)):
        rows = mean_bins(y1, y2, p.spatial_scale, size, x.shape[2])
        cols = mean_bins(x1, x2, p.spatial_scale, size, x.shape[3])
        for c, i, j in np.ndindex(*y.shape[1:]):
            plane = x[int(image), (c * size + i) * size + j]
            cells = [plane[h, w] for h in rows[i] for w in cols[j]]
            y[r, c, i, j] = sum(cells) / len(cells) if cells else 0.0
    return [y]
