"""Box arithmetic: overlaps, regression targets and their inverse, clipping, filtering.

A box is a row (x1, y1, x2, y2). `plus` is the convention: 1 where x2 and y2 are the last pixels inside, so that a width
is x2 - x1 + 1 (Caffe's detectors), 0 where they are edges (most detectors since). Axes may be exchanged: callers with
(y1, x1, y2, x2) rows get everything in that order.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .. import native
from ..base import LayerError
from ..native import operator


def iou(boxes: Tensor, query: Tensor, plus: float = 1.0) -> Tensor:
    """Intersection over union of every pair, in float64: (N, 4) and (K, 4) -> (N, K).

    Boxes that do not meet have 0, and so has every box with a NaN coordinate.
    """
    overlap: Tensor = _iou(boxes, query, plus)
    return overlap


@operator("iou")
def _iou(boxes: Tensor, query: Tensor, plus: float) -> Tensor:
    boxes, query = rows_of_four(boxes, torch.float64), rows_of_four(query, torch.float64)
    if not native.serves(boxes, query):
        overlap = pairwise(boxes[:, None], query[None], plus)  # (N, 1, 4), (1, K, 4) -> (N, K)
        return torch.where(overlap > 0, overlap, 0.0)
    out = boxes.new_empty(len(boxes), len(query))
    native.call("iou", boxes, len(boxes), query, len(query), plus, out)
    return out


@_iou.register_fake
def _iou_shape(boxes: Tensor, query: Tensor, plus: float) -> Tensor:
    return boxes.new_empty((boxes.shape[0], query.shape[0]), dtype=torch.float64)


def rows_of_four(boxes: Tensor, dtype: torch.dtype) -> Tensor:
    """Boxes as the kernels read them: (N, 4), dense; another shape is refused."""
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise LayerError(f"boxes are N x 4, got {tuple(boxes.shape)}")
    return boxes.to(dtype).contiguous()


def pairwise(a: Tensor, b: Tensor, plus: float) -> Tensor:
    """Intersection over union of boxes that broadcast, (..., 4), in their own dtype; NaN where a box has NaN."""
    size = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2]) + plus).clamp(min=0)
    intersection = size[..., 0] * size[..., 1]
    return intersection / (area(a, plus) + area(b, plus) - intersection)


def area(boxes: Tensor, plus: float = 1.0) -> Tensor:
    """Width times height: (..., 4) -> (...)."""
    return (boxes[..., 2] - boxes[..., 0] + plus) * (boxes[..., 3] - boxes[..., 1] + plus)


def transform(examples: Tensor, truths: Tensor, plus: float = 1.0) -> Tensor:
    """Regression targets (dx, dy, dw, dh) that move each example onto its truth: (N, 4) and (N, 4) -> (N, 4)."""
    (x, y, w, h), (truth_x, truth_y, truth_w, truth_h) = _centres(_real(examples), plus), _centres(_real(truths), plus)
    deltas = (truth_x - x) / w, (truth_y - y) / h, torch.log(truth_w / w), torch.log(truth_h / h)
    return torch.stack(deltas, dim=1)


def transform_inv(boxes: Tensor, deltas: Tensor, plus: float = 1.0) -> Tensor:
    """Boxes moved by deltas, K sets of them for each: (N, 4) and (N, 4K) -> (N, 4K), in the deltas' dtype.

    The right and lower corners are centre + size / 2 without a -1, in both conventions: so did the originals, and nets
    were trained with it.
    """
    x, y, w, h = (value[:, None] for value in _centres(boxes.to(deltas.dtype), plus))
    dx, dy, dw, dh = deltas.unflatten(1, (-1, 4)).unbind(2)  # (N, 4K) -> (N, K, 4) -> 4 of (N, K)
    centre_x, centre_y = dx * w + x, dy * h + y
    half_w, half_h = 0.5 * (torch.exp(dw) * w), 0.5 * (torch.exp(dh) * h)
    corners = centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h
    return torch.stack(corners, dim=2).flatten(1)  # (N, K, 4) -> (N, 4K)


def clip(boxes: Tensor, height: float, width: float, plus: float = 1.0) -> Tensor:
    """Boxes cut to the picture, corners within 0 and width - plus, 0 and height - plus: (N, 4K) -> (N, 4K)."""
    x, y = boxes[:, 0::2].clamp(max=width - plus), boxes[:, 1::2].clamp(max=height - plus)
    return torch.stack((x, y), dim=2).flatten(1).clamp(min=0)


def large_enough(boxes: Tensor, min_size: float, plus: float = 1.0) -> Tensor:
    """Which boxes are at least min_size wide and high: (N, 4) -> (N,) of bool. A box with NaN is not."""
    return (boxes[:, 2:] - boxes[:, :2] + plus >= min_size).all(dim=1)


def _centres(boxes: Tensor, plus: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centre x and y, width and height, each (N,)."""
    width, height = boxes[:, 2] - boxes[:, 0] + plus, boxes[:, 3] - boxes[:, 1] + plus
    return boxes[:, 0] + 0.5 * width, boxes[:, 1] + 0.5 * height, width, height


def _real(boxes: Tensor) -> Tensor:
    return boxes if boxes.is_floating_point() else boxes.double()
