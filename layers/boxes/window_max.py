"""The largest value of many rectangles of feature maps at once, in plain torch on any device."""

from __future__ import annotations

import torch
from torch import Tensor

LOWEST = torch.finfo(torch.float32).min
"""What Caffe starts a maximum from: nothing below counts."""

Found = tuple[Tensor, Tensor]
"""Values and the cells they were found in (row * width + column, -1: none)."""


def window_max(features: Tensor, image: Tensor, rows: Tensor, columns: Tensor) -> Found:
    """The maxima of R x I x J windows, with the first cell, in reading order, that holds each: (R, I, J, C).

    features (N, C, H, W); image (R,); rows (R, I, 2) and columns (R, J, 2): first and one past last, within the map.
    An empty window gives 0 and no cell. NaN is never the largest; a window of nothing else gives LOWEST and no cell.

    Every window is the union of four, overlapping, whose sides are powers of two: those are tabulated for every place
    of the map, each from two of half its size.
    """
    n, c, h, w = features.shape
    start, end = _grid(rows[..., 0], columns[..., 0]), _grid(rows[..., 1], columns[..., 1])  # (R, I, J, 2)
    empty = (end <= start).any(-1, keepdim=True)
    size = (end - start).clamp(min=1)
    level = torch.frexp(size.double()).exponent.long() - 1  # 2^level <= size < 2^(level + 1)
    levels = (level.amax((0, 1, 2)) + 1).tolist() if level.numel() else [1, 1]
    values, cells = (table.flatten(0, 4) for table in _tables(features, levels))  # (L * M * N * H * W, C)
    table = (level[..., 0] * levels[1] + level[..., 1]) * n + image[:, None, None]  # (R, I, J)
    first = torch.minimum(start, torch.tensor((h - 1, w - 1), device=start.device))
    last = torch.maximum(end - 2**level, first)
    best: Found | None = None
    for y in (first[..., 0], last[..., 0]):
        for x in (first[..., 1], last[..., 1]):
            at = (table * h + y) * w + x
            found = values[at], cells[at]  # (R, I, J, C)
            best = found if best is None else _better(best, found)
    assert best is not None
    return best[0].masked_fill(empty, 0), best[1].masked_fill(empty, -1)


def _grid(y: Tensor, x: Tensor) -> Tensor:
    """(R, I) and (R, J) -> (R, I, J, 2)."""
    return torch.stack(torch.broadcast_tensors(y[:, :, None], x[:, None, :]), dim=-1).long()


def _tables(features: Tensor, levels: list[int]) -> Found:
    """Maxima of windows 2^l high and 2^m wide from every cell on: (L, M, N, H, W, C); over the edge, unused."""
    n, c, h, w = features.shape
    values = features.permute(0, 2, 3, 1)
    values = torch.where(values > LOWEST, values, LOWEST)
    cells = torch.arange(h * w, dtype=torch.int32, device=features.device).view(1, h, w, 1)
    cells = torch.where(values > LOWEST, cells, -1)
    tall, tables = (values, cells), []
    for i in range(levels[0]):
        tall = tall if i == 0 else _joined(tall, 1, 1 << (i - 1))
        wide = tall
        for j in range(levels[1]):
            wide = wide if j == 0 else _joined(wide, 2, 1 << (j - 1))
            tables.append(wide)
    values, cells = (torch.stack(kind).unflatten(0, levels) for kind in zip(*tables, strict=True))
    return values, cells


def _joined(found: Found, axis: int, step: int) -> Found:
    """Each window with its neighbour `step` further."""
    return _better(found, (found[0].roll(-step, axis), found[1].roll(-step, axis)))


def _better(a: Found, b: Found) -> Found:
    """The larger, of equal ones that in the earlier cell."""
    second = (b[0] > a[0]) | ((b[0] == a[0]) & (b[1] < a[1]))
    return torch.where(second, b[0], a[0]), torch.where(second, b[1], a[1])
