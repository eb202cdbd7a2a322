"""PSROIPooling."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import native
from .base import Arity, Layer, LayerError, Shape, register
from .boxes import check_shapes, image_of, round_away
from .native import operator

NARROWEST = 0.1
"""No RoI counts as narrower than this many cells."""


@register("PSROIPooling")
class PSROIPoolingLayer(Layer):
    """Position-sensitive pooling of R-FCN: every bin of a RoI averages channels of its own.

    Bottoms: features N x C x H x W, C = output_dim * group_size²; rois R x 5 (or R x 5 x 1 x 1), each
    (image, x1, y1, x2, y2) in the input's pixels.
    Top: R x output_dim x group_size x group_size, contiguous.
    top[r, c, i, j] = the mean of channel (c * group_size + i) * group_size + j over the cells of bin (i, j).
    Along each axis: start = round(x1) * spatial_scale, end = (round(x2) + 1) * spatial_scale;
    step = max(end - start, 0.1) / group_size; bin k spans the cells from floor(k * step + start) to before
    ceil((k + 1) * step + start), cut to the map, so that bins may share cells. An empty bin gives 0.

    Caffe's oddities, kept: corners round before they are scaled, half a pixel away from zero; all of it is float32.
    A NaN corner counts as 0, an infinite one as far away; an image out of range is refused.

    Each cell of a bin gets its top's diff divided by their number; the RoIs get none.
    Differs from torchvision's ps_roi_pool: that scales corners before it rounds them, ends without the + 1, and takes a
    RoI for one cell wide at least.
    """

    messages = ("psroi_pooling_param",)
    bottoms = Arity(2, 2)
    fresh_top = True
    keeps_channels = True

    def __init__(
        self, *, spatial_scale: float | None = None, output_dim: int | None = None, group_size: int | None = None
    ) -> None:
        super().__init__()
        if spatial_scale is None or output_dim is None or group_size is None:
            raise LayerError("needs spatial_scale, output_dim and group_size")
        if output_dim < 1 or group_size < 1:
            raise LayerError(f"output_dim and group_size must be at least 1, got {output_dim} and {group_size}")
        self.spatial_scale, self.output_dim, self.group_size = spatial_scale, output_dim, group_size

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check the shapes of both bottoms."""
        super().setup(*bottoms, num_tops=num_tops)
        check_shapes(*bottoms)
        wanted = self.output_dim * self.group_size**2
        if bottoms[0][1] != wanted:
            product = f"output_dim {self.output_dim} * group_size {self.group_size}²"
            raise LayerError(f"pools features of {wanted} channels ({product}), got {bottoms[0][1]}")

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        """Pool."""
        features, rois = bottoms
        return (psroi_pool(features, rois.flatten(1), self.group_size, self.spatial_scale),)


def psroi_pool(features: Tensor, rois: Tensor, group_size: int, spatial_scale: float) -> Tensor:
    """The layer as a function, for features of any float type: (N, D * G², H, W), (R, 5) -> (R, D, G, G)."""
    exact = features if features.dtype == torch.float64 else features.float()
    top: Tensor = _psroi_pool(exact, rois, group_size, spatial_scale)
    return top.to(features.dtype)


def _bins(rois: Tensor, g: int, h: int, w: int, scale: float) -> tuple[Tensor, Tensor]:
    """First and one past last row and column of every bin, within the map: (R, g, 2) each."""
    _, x1, y1, x2, y2 = rois.float().unbind(1)
    return axis_bins(y1, y2, g, h, scale), axis_bins(x1, x2, g, w, scale)


def axis_bins(low: Tensor, high: Tensor, g: int, size: int, scale: float) -> Tensor:
    """First and one past last cell of every bin along one axis, from the corners (R,), within the map: (R, g, 2)."""
    start, end = round_away(low).float() * scale, (round_away(high) + 1).float() * scale  # (R,)
    length = (end - start).clamp(min=NARROWEST)
    step = length / torch.full_like(length, g)  # by a plain number CUDA would multiply with its inverse
    edge = torch.arange(g + 1, device=low.device).float() * step[:, None] + start[:, None]  # (R, g + 1)
    return torch.stack((edge[:, :-1].floor(), edge[:, 1:].ceil()), dim=-1).clamp(0, size).int()


def _sides(bins: Tensor) -> Tensor:
    """How many rows or columns each bin has, from (..., 2)."""
    return (bins[..., 1] - bins[..., 0]).clamp(min=0).long()


@operator("psroi_pool")
def _psroi_pool(features: Tensor, rois: Tensor, g: int, scale: float) -> Tensor:
    n, c, h, w = features.shape
    image, (rows, columns) = image_of(rois, n), _bins(rois, g, h, w, scale)
    if not _native(features, rois):
        at, area = _cells(image, rows, columns, h, w)
        table = features.unflatten(1, (-1, g * g)).permute(0, 3, 4, 2, 1).flatten(0, 3)  # (N * H * W * g², D)
        sums = _segment_sums(table[at], area)  # (R * g², D)
        means = (sums / area.clamp(min=1)[:, None]).view(len(rois), g, g, c // (g * g))
        return means.permute(0, 3, 1, 2).contiguous()
    features, last = native.dense(features)
    top = features.new_empty(len(rois), c // (g * g), g, g)
    native.call("psroi_pool", features, c, h, w, last, image, rows, columns, len(rois), g, top, torch.get_num_threads())
    return top


@operator("psroi_pool_backward")
def _psroi_pool_backward(
    top_diff: Tensor, rois: Tensor, n: int, h: int, w: int, channels_last: bool, scale: float
) -> Tensor:
    r, d, g, _ = top_diff.shape
    image, (rows, columns) = image_of(rois, n), _bins(rois, g, h, w, scale)
    area = _sides(rows)[:, :, None] * _sides(columns)[:, None, :]  # (R, g, g)
    shares = (top_diff / area.clamp(min=1)[:, None]).contiguous()
    diff = _empty_maps(top_diff, n, h, w, channels_last)
    if not _native(top_diff, rois):
        at, area = _cells(image, rows, columns, h, w)
        given = shares.permute(0, 2, 3, 1).flatten(0, 2).repeat_interleave(area, dim=0)  # (cells, D)
        table = _segment_sums(given[at.argsort(stable=True)], at.bincount(minlength=n * h * w * g * g))
        return diff.copy_(table.view(n, h, w, g * g, d).permute(0, 4, 3, 1, 2).flatten(1, 2))
    diff.zero_()
    where = (image, rows, columns, r, g)
    threads = torch.get_num_threads()
    native.call("psroi_pool_backward", shares, d * g * g, h, w, channels_last, *where, diff, threads)
    return diff


def _native(maps: Tensor, rois: Tensor) -> bool:
    return maps.dtype == torch.float32 and native.serves(maps, rois)


def _cells(image: Tensor, rows: Tensor, columns: Tensor, h: int, w: int) -> tuple[Tensor, Tensor]:
    """The cells of all bins, bin after bin in reading order, as rows of a table (N, H, W, g²); how many a bin has."""
    g = rows.shape[1]
    wide = _sides(columns)[:, None, :].expand(-1, g, -1)  # (R, g, g)
    area = (_sides(rows)[:, :, None] * wide).flatten()  # (R * g²,)
    bin_ = torch.arange(len(area), device=area.device).repeat_interleave(area)  # (cells,)
    number = torch.arange(len(bin_), device=area.device) - (area.cumsum(0) - area)[bin_]  # within its bin
    top, left = torch.broadcast_tensors(rows[:, :, None, 0], columns[:, None, :, 0])  # (R, g, g)
    across = wide.flatten()[bin_]
    y, x = top.flatten()[bin_] + number // across, left.flatten()[bin_] + number % across
    return ((image[bin_ // (g * g)] * h + y) * w + x) * (g * g) + bin_ % (g * g), area


def _segment_sums(rows: Tensor, lengths: Tensor) -> Tensor:
    """The sums of so many rows each, in their order on every device."""
    return torch.segment_reduce(rows, "sum", lengths=lengths, axis=0, unsafe=True)


def _empty_maps(like: Tensor, n: int, h: int, w: int, channels_last: bool) -> Tensor:
    """Memory for the features' diff, laid out as they are."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    c = like.shape[1] * like.shape[2] * like.shape[3]
    return torch.empty(n, c, h, w, dtype=like.dtype, device=like.device, memory_format=order)


@_psroi_pool.register_fake
def _psroi_pool_shape(features: Tensor, rois: Tensor, g: int, scale: float) -> Tensor:
    return features.new_empty(rois.shape[0], features.shape[1] // (g * g), g, g)


@_psroi_pool_backward.register_fake
def _psroi_pool_backward_shape(
    top_diff: Tensor, rois: Tensor, n: int, h: int, w: int, channels_last: bool, scale: float
) -> Tensor:
    return _empty_maps(top_diff, n, h, w, channels_last)


def _keep_inputs(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    features, rois, _, ctx.scale = inputs
    n, _, h, w = features.shape
    ctx.maps = n, h, w, native.channels_last(features)
    ctx.save_for_backward(rois)


def _gradient(ctx: Any, top_diff: Tensor) -> tuple[Tensor | None, ...]:
    (rois,) = ctx.saved_tensors
    return _psroi_pool_backward(top_diff, rois, *ctx.maps, ctx.scale), None, None, None


_psroi_pool.register_autograd(_gradient, setup_context=_keep_inputs)
