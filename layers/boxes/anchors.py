"""Anchors: the reference boxes of each cell of a feature map, made in the three ways that are in use.

A base is (A, 4), the anchors of the cell at the upper left; the anchors of a map of H×W cells are (H*W*A, 4), the rows
ordered by (h, w, a), a fastest: anchor a of cell (h, w) is row (h * W + w) * A + a.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..base import LayerError

RATIOS = (0.5, 1.0, 2.0)
SCALES = (8.0, 16.0, 32.0)


def caffe_anchors(base_size: float = 16, ratios: Sequence[float] = RATIOS, scales: Sequence[float] = SCALES) -> Tensor:
    """Caffe's table, (x1, y1, x2, y2) in float64 with x2 and y2 inside: (R*S, 4), scales fastest.

    The window (0, 0, base_size - 1, base_size - 1) gets each ratio (height / width) at equal area, its width and height
    rounded half to even, and then each scale, about the same centre. The MATLAB table counts from 1: it is this plus 1.
    """
    ratio, scale = _column("ratios", ratios), _column("scales", scales).squeeze(1)
    width = torch.sqrt(_column("base_size", [base_size]) ** 2 / ratio).round()
    height = (width * ratio).round()
    half = torch.stack((width * scale, height * scale), dim=2).reshape(-1, 2).sub(1).mul(0.5)  # (R, S, 2) -> (R*S, 2)
    centre = 0.5 * (base_size - 1)
    return torch.cat((centre - half, centre + half), dim=1)


def yx_anchors(base_size: float = 16, ratios: Sequence[float] = RATIOS, scales: Sequence[float] = SCALES) -> Tensor:
    """The table of ChainerCV and simple-faster-rcnn-pytorch, (y1, x1, y2, x2) in float32, edges: (R*S, 4).

    Nothing is rounded: about (base_size / 2, base_size / 2), height is base_size * scale * sqrt(ratio), width the same
    with 1 / ratio.
    """
    root, scale = _column("ratios", ratios).sqrt(), _column("scales", scales).squeeze(1)
    size = torch.stack((root * scale, (1 / root) * scale), dim=2).reshape(-1, 2) * base_size  # (R, S, 2) -> (R*S, 2)
    return torch.cat((base_size / 2 - size / 2, base_size / 2 + size / 2), dim=1).float()


def d2l_anchors(
    height: int,
    width: int,
    sizes: Sequence[float] = (0.75, 0.5, 0.25),
    ratios: Sequence[float] = (1.0, 2.0, 0.5),
    every_pair: bool = False,
    as_printed: bool = False,
) -> Tensor:
    """The anchors of "Dive into Deep Learning", parts of the picture (x1, y1, x2, y2) in 0..1: (height*width*A, 4).

    sizes: part of the picture's side, in (0, 1]; ratios: width / height.
    Of the n×m pairs only those with the first size or the first ratio are made, A = n + m - 1 (5 of 3 and 3): each size
    with the first ratio, then the first size with each other ratio. every_pair makes all n*m, as Faster R-CNN does (9).
    An anchor is size * sqrt(ratio) wide and size / sqrt(ratio) high, about the middle of its cell. as_printed follows a
    misprint in circulation and multiplies the height too: the ratio then changes the area and not the shape.
    """
    size, root = _column("sizes", sizes), _column("ratios", ratios).sqrt().squeeze(1)
    high = size * root if as_printed else size / root
    pairs = torch.stack((size * root, high), dim=2)  # (n, m, 2)
    shapes = pairs.reshape(-1, 2) if every_pair else torch.cat((pairs[:, 0], pairs[0, 1:]))
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    centre = torch.stack((x, y), dim=2).reshape(-1, 1, 2).double()  # (H*W, 1, 2)
    return torch.cat((centre - shapes / 2, centre + shapes / 2), dim=2).reshape(-1, 4)


def all_anchors(base: Tensor, height: int, width: int, feat_stride: float, y_first: bool = False) -> Tensor:
    """The base moved to every cell of a map: (A, 4) -> (height*width*A, 4); y_first is for (y1, x1, y2, x2) bases."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=base.dtype, device=base.device) * feat_stride,
        torch.arange(width, dtype=base.dtype, device=base.device) * feat_stride,
        indexing="ij",
    )
    shift = torch.stack((y, x) * 2 if y_first else (x, y) * 2, dim=2)  # (H, W, 4)
    return (shift[:, :, None] + base).reshape(-1, 4)  # (H, W, 1, 4) + (A, 4) -> (H, W, A, 4)


def inside(anchors: Tensor, height: float, width: float, border: float = 0.0, closed: bool = False) -> Tensor:
    """Which (x1, y1, x2, y2) anchors lie in the picture, give or take `border` pixels: (N, 4) -> (N,) of bool.

    As in Caffe x2 < width, for x2 is the last column inside; `closed`: x2 <= width, for x2 is an edge.
    """
    x1, y1, x2, y2 = anchors.unbind(1)
    right, lower = width + border, height + border
    within = (x2 <= right) & (y2 <= lower) if closed else (x2 < right) & (y2 < lower)
    return (x1 >= -border) & (y1 >= -border) & within


class AnchorGrid:
    """Caffe's anchors for maps of any size; those of the latest few sizes are kept."""

    def __init__(
        self, feat_stride: float, scales: Sequence[float], ratios: Sequence[float], base_size: float, kept: int = 8
    ) -> None:
        self.base = caffe_anchors(base_size, ratios, scales)
        self.feat_stride = float(_column("feat_stride", [feat_stride]))
        self._kept = kept
        self._maps: dict[tuple[int, int, torch.device], Tensor] = {}

    def __len__(self) -> int:
        """How many anchors a cell has."""
        return len(self.base)

    def over(self, height: int, width: int, device: torch.device) -> Tensor:
        """The anchors of a map, (height*width*A, 4) in float64; not to be written to."""
        if not (isinstance(height, int) and isinstance(width, int)):  # symbols, under torch.export
            return all_anchors(self.base.to(device), height, width, self.feat_stride)
        key = height, width, device
        found = self._maps.get(key)
        if found is None:
            found = all_anchors(self.base, height, width, self.feat_stride).to(device)
            self._maps[key] = found
            for old in list(self._maps)[: -self._kept]:
                self._maps.pop(old, None)  # another thread may have been quicker
        return found


def _column(name: str, values: Sequence[float]) -> Tensor:
    """Positive numbers as (N, 1) of float64."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        numbers = []
    if not numbers or not all(0 < number < math.inf for number in numbers):
        raise LayerError(f"{name} must be positive numbers, got {values!r}")
    return torch.tensor(numbers, dtype=torch.float64)[:, None]
