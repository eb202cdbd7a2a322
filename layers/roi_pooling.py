"""ROIPooling."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import native
from .base import Arity, Layer, LayerError, Shape, register
from .boxes import RoiAxis, check_shapes, image_of, takes, window_max
from .native import operator


@register("ROIPooling")
class ROIPoolingLayer(Layer):
    """Max pooling of every RoI into the same number of bins.

    Bottoms: features N x C x H x W; rois R x 5 (or R x 5 x 1 x 1), each (image, x1, y1, x2, y2) in the input's pixels.
    Top: R x C x pooled_h x pooled_w, contiguous.
    Along each axis: first = round(x1 * spatial_scale), last = round(x2 * spatial_scale), both cells inclusive;
    step = max(last - first + 1, 1) / pooled; bin k spans first + floor(k * step) to first + ceil((k + 1) * step) - 1,
    cut to the map, so that bins may share cells. An empty bin gives 0.

    Caffe's oddities, kept:
    - half a cell rounds away from zero;
    - step is float32, so that ceil may reach one cell too far (7 bins of a RoI 57 long end at 58);
    - gradient goes only to cells between first and last that the inverse arithmetic, cell / step, finds in the bin:
      the cell too far gets none, and a RoI whose x2 < x1, which pools one cell, passes none.
    - NaN features are never the maximum; where all are NaN or -inf the top is -FLT_MAX and passes no gradient.
    A NaN corner counts as 0, an infinite one as far away (as CUDA converts them); an image out of range is refused.

    The RoIs get no gradient. The backward finds the maxima again, so no switches are kept in memory.
    Differs from torchvision's roi_pool: those two rules of the backward.
    """

    messages = ("roi_pooling_param",)
    bottoms = Arity(2, 2)
    fresh_top = True
    keeps_channels = True

    def __init__(self, pooled_h: int = 0, pooled_w: int = 0, spatial_scale: float = 1.0) -> None:
        super().__init__()
        if pooled_h < 1 or pooled_w < 1:
            raise LayerError(f"pooled_h and pooled_w must be at least 1, got {pooled_h} and {pooled_w}")
        self.pooled_h, self.pooled_w, self.spatial_scale = pooled_h, pooled_w, spatial_scale

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check the shapes of both bottoms."""
        super().setup(*bottoms, num_tops=num_tops)
        check_shapes(*bottoms)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        """Pool."""
        features, rois = bottoms
        return (roi_pool(features, rois.flatten(1), self.pooled_h, self.pooled_w, self.spatial_scale),)


def roi_pool(features: Tensor, rois: Tensor, pooled_h: int, pooled_w: int, spatial_scale: float) -> Tensor:
    """The layer as a function, for features of any float type: (N, C, H, W), (R, 5) -> (R, C, pooled_h, pooled_w)."""
    exact = features if features.dtype == torch.float64 else features.float()
    top: Tensor = _roi_pool(exact, rois, pooled_h, pooled_w, spatial_scale)
    return top.to(features.dtype)


def _axes(rois: Tensor, pooled_h: int, pooled_w: int, scale: float) -> tuple[RoiAxis, RoiAxis]:
    _, x1, y1, x2, y2 = rois.float().unbind(1)
    return RoiAxis.of(y1, y2, pooled_h, scale), RoiAxis.of(x1, x2, pooled_w, scale)


@operator("roi_pool")
def _roi_pool(features: Tensor, rois: Tensor, pooled_h: int, pooled_w: int, scale: float) -> Tensor:
    n, c, h, w = features.shape
    y, x = _axes(rois, pooled_h, pooled_w, scale)
    image, rows, columns = image_of(rois, n), y.bins(pooled_h, h), x.bins(pooled_w, w)
    if not _native(features, rois):
        return window_max(features, image, rows, columns)[0].permute(0, 3, 1, 2).contiguous()
    features, last = native.dense(features)
    top = features.new_empty(len(rois), c, pooled_h, pooled_w)
    where = (image, rows, columns, len(rois), pooled_h, pooled_w)
    native.call("roi_pool", features, c, h, w, last, *where, top, torch.get_num_threads())
    return top


@operator("roi_pool_backward")
def _roi_pool_backward(
    top_diff: Tensor, features: Tensor, rois: Tensor, pooled_h: int, pooled_w: int, scale: float
) -> Tensor:
    n, c, h, w = features.shape
    y, x = _axes(rois, pooled_h, pooled_w, scale)
    image, rows, columns = image_of(rois, n), y.bins(pooled_h, h), x.bins(pooled_w, w)
    taken = takes(y, pooled_h, h), takes(x, pooled_w, w)
    features, last = native.dense(features)
    diff = torch.zeros_like(features)
    if not _native(features, rois):
        cells = window_max(features, image, rows, columns)[1].permute(0, 3, 1, 2).long()  # (R, C, pooled_h, pooled_w)
        _scatter(diff, top_diff, image, cells, *taken)
        return diff
    where = (image, rows, columns, len(rois), pooled_h, pooled_w, *taken)
    given = top_diff.contiguous()
    native.call("roi_pool_backward", features, c, h, w, last, *where, given, diff, torch.get_num_threads())
    return diff


def _native(features: Tensor, rois: Tensor) -> bool:
    return features.dtype == torch.float32 and native.serves(features, rois)


def _scatter(
    diff: Tensor, top_diff: Tensor, image: Tensor, cells: Tensor, row_takes: Tensor, column_takes: Tensor
) -> None:
    """Add each top's diff to the cell it came from, if that takes it: in the order of the RoIs, the same each time."""
    c, w = diff.shape[1], diff.shape[3]
    row, column = cells.clamp(min=0) // w, cells.clamp(min=0) % w  # (R, C, pooled_h, pooled_w)
    row_taken = row_takes[:, None].expand(-1, c, -1, -1).gather(3, row)
    column_taken = column_takes[:, None].expand(-1, c, -1, -1).gather(3, column.transpose(2, 3)).transpose(2, 3)
    taken = (cells >= 0) & row_taken & column_taken
    per_image, per_channel, per_row, per_column = diff.stride()
    plane = image.long()[:, None] * per_image + torch.arange(c, device=image.device) * per_channel  # (R, C)
    at = (plane[:, :, None, None] + row * per_row + column * per_column)[taken]
    flat = diff.as_strided((diff.numel(),), (1,))
    if (
        diff.is_cuda
    ):  # there scatter_add_ leaves the order to chance and index_put_ does not; on the CPU it is the reverse
        flat.index_put_((at,), top_diff[taken], accumulate=True)
    else:
        flat.scatter_add_(0, at, top_diff[taken])


@_roi_pool.register_fake
def _roi_pool_shape(features: Tensor, rois: Tensor, pooled_h: int, pooled_w: int, scale: float) -> Tensor:
    return features.new_empty(rois.shape[0], features.shape[1], pooled_h, pooled_w)


@_roi_pool_backward.register_fake
def _roi_pool_backward_shape(
    top_diff: Tensor, features: Tensor, rois: Tensor, pooled_h: int, pooled_w: int, scale: float
) -> Tensor:
    return torch.empty_like(native.dense(features)[0])


def _keep_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    features, rois, *ctx.numbers = inputs
    ctx.save_for_backward(features, rois)


def _gradient(ctx: Any, top_diff: Tensor) -> tuple[Tensor | None, ...]:
    features, rois = ctx.saved_tensors
    return _roi_pool_backward(top_diff, features, rois, *ctx.numbers), None, None, None, None


_roi_pool.register_autograd(_gradient, setup_context=_keep_inputs)
