"""What torch lacks, in plain torch: these definitions are copied into the modules that need them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ....layers import axis_bins
from ....layers.boxes import RoiAxis, all_anchors, by_score, clip, large_enough, nms_torch, transform_inv


class Scale(nn.Module):
    """A factor for each channel, with axes of length 1 for those behind it, and a bias of any such shape."""

    def __init__(self, *shape: int, bias: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = None if bias is None else nn.Parameter(torch.zeros(bias))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply and add."""
        return x * self.weight if self.bias is None else x * self.weight + self.bias


def argmax(x: Tensor, top_k: int, axis: int | None, out_max_val: bool) -> Tensor:
    """The places of the top_k largest, of equal ones the last first; without an axis Caffe's top has three axes."""
    searched, dim = (x.reshape(len(x), -1), 1) if axis is None else (x, axis)
    values, places = searched.flip(dim).sort(dim=dim, descending=True, stable=True)
    values = values.narrow(dim, 0, top_k)
    places = (searched.shape[dim] - 1 - places.narrow(dim, 0, top_k)).to(x.dtype)
    if axis is not None:
        return values if out_max_val else places
    top = torch.stack([places, values] if out_max_val else [places], 1)  # twice (N, top_k) -> (N, 2, top_k)
    return top.reshape(*top.shape, *(1,) * (x.dim() - 3))


def lrn_within(x: Tensor, size: int, alpha: float, beta: float) -> Tensor:
    """Local response normalisation over size×size cells of each channel."""
    return x * (1 + alpha * F.avg_pool2d(x * x, size, 1, size // 2)).pow(-beta)


def mvn(x: Tensor, dims: tuple[int, ...], variance: bool, eps: float) -> Tensor:
    """Mean 0 over dims and, if asked for, deviation 1; eps is outside the root."""
    x = x - x.mean(dims, keepdim=True)
    return x / (x.square().mean(dims, keepdim=True).sqrt() + eps) if variance else x


def caffe_windows(
    size: Sequence[int], kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int], ceil: bool
) -> tuple[list[int], list[list[int]]]:
    """The frame for F.pad in which Caffe's windows lie side by side, and their lengths without what ceil adds.

    As soon as one axis is padded, a last window that begins beyond the plane and its pad is dropped; without padding it
    stays, though it is empty.
    """
    frame: list[int] = []
    lengths = []
    for n, k, s, p in zip(size, kernel, stride, pad, strict=True):
        room = n + 2 * p - k
        count = (-(-room // s) if ceil else room // s) + 1
        count -= any(pad) and (count - 1) * s >= n + p
        frame = [p, (count - 1) * s + k - n - p, *frame]  # the last axis comes first; below 0 it cuts
        lengths.append([min(i * s + k, n + 2 * p) - i * s for i in range(count)])
    return frame, lengths


def pool(
    x: Tensor, kind: str, kernel: tuple[int, int] | None, stride: tuple[int, int], pad: tuple[int, int], ceil: bool
) -> Tensor:
    """Pooling where torch's windows are not Caffe's: (N, C, H, W) -> (N, C, H', W'). No kernel: the whole plane.

    An empty window has the average 0 / 0 and the lowest number as its maximum. STOCHASTIC, as in TEST, weighs each
    number with its probability; the least float keeps zeros from dividing by zero.
    """
    kernel = kernel or (x.shape[2], x.shape[3])
    frame, (rows, columns) = caffe_windows(x.shape[2:], kernel, stride, pad, ceil)
    if kind == "MAX":
        return F.max_pool2d(F.pad(x, frame, value=torch.finfo(x.dtype).min), kernel, stride)
    framed = F.pad(x, frame)
    sums = F.avg_pool2d(framed, kernel, stride, divisor_override=1)
    if kind == "AVE":
        return sums / (torch.tensor(rows, device=x.device)[:, None] * torch.tensor(columns, device=x.device))
    return F.avg_pool2d(framed.square(), kernel, stride, divisor_override=1) / (sums + torch.finfo(torch.float32).tiny)


def max_pool_with_places(
    x: Tensor, kernel: tuple[int, int] | None, stride: tuple[int, int], pad: tuple[int, int], ceil: bool
) -> tuple[Tensor, Tensor]:
    """Max pooling, and where in its plane each maximum lies: row * width + column, -1 for an empty window."""
    kernel, (height, width) = kernel or (x.shape[2], x.shape[3]), x.shape[2:]
    frame, _ = caffe_windows((height, width), kernel, stride, pad, ceil)
    framed = F.pad(x, frame, value=torch.finfo(x.dtype).min)
    y, at = F.max_pool2d(framed, kernel, stride, return_indices=True)
    row, column = at // framed.shape[3] - pad[0], at % framed.shape[3] - pad[1]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return y, torch.where(inside, row * width + column, -1).to(x.dtype)


def spp(x: Tensor, kind: str, height: int) -> Tensor:
    """Spatial pyramid pooling: the plane on grids of 1, 2, 4, ... bins a side, one behind the other."""
    levels = []
    for bins in (2**level for level in range(height)):
        rows, columns = x.shape[2:]
        kernel = math.ceil(rows / bins), math.ceil(columns / bins)
        pad = (kernel[0] * bins - rows + 1) // 2, (kernel[1] * bins - columns + 1) // 2
        levels.append(pool(x, kind, kernel, kernel, pad, True))
    return levels[0] if height == 1 else torch.cat([level.flatten(1) for level in levels], 1)


class Proposal(nn.Module):
    """Regions of interest from an RPN's probabilities and deltas: py-faster-rcnn's ProposalLayer, one picture.

    anchors: those of the map's first cell, (A, 4). nms_bound: the least overlap at which the lesser box falls. Limits
    that are not positive keep all.
    """

    anchors: Tensor

    def __init__(
        self,
        anchors: Sequence[Sequence[float]],
        feat_stride: float,
        pre_nms_top_n: int,
        post_nms_top_n: int,
        nms_bound: float,
        min_size: float,
    ) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float64), persistent=False)
        self.feat_stride, self.min_size = feat_stride, min_size
        self.pre_nms_top_n, self.post_nms_top_n, self.nms_bound = pre_nms_top_n, post_nms_top_n, nms_bound

    @torch.no_grad()
    def forward(self, probabilities: Tensor, deltas: Tensor, im_info: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 2A, H, W), (1, 4A, H, W), (1, 3) -> RoIs (R, 5), the first column 0, and their scores (R, 1)."""
        height, width, scale = im_info[0].tolist()
        rows, columns = probabilities.shape[2:]
        # 1×A×H×W -> (H*W*A,) and 1×4A×H×W -> (H*W*A, 4): the rows of the anchors
        scores = probabilities[:, len(self.anchors) :].permute(0, 2, 3, 1).reshape(-1)
        deltas = deltas.permute(0, 2, 3, 1).reshape(-1, 4)
        anchors = all_anchors(self.anchors, rows, columns, self.feat_stride)
        boxes = clip(transform_inv(anchors, deltas), height, width)
        real = deltas.isfinite().all(1) & scores.isfinite()
        kept = (large_enough(boxes, self.min_size * scale) & real).nonzero().squeeze(1)
        kept = kept[by_score(scores[kept], self.pre_nms_top_n)]
        limit = self.post_nms_top_n if self.post_nms_top_n > 0 else len(kept)
        kept = kept[nms_torch(boxes[kept].float(), self.nms_bound, 1.0, limit)]
        return F.pad(boxes[kept], (1, 0)), scores[kept, None]


def roi_pool(features: Tensor, rois: Tensor, pooled_h: int, pooled_w: int, scale: float) -> Tensor:
    """Max pooling of every RoI into the same bins: (N, C, H, W), (R, 5) -> (R, C, pooled_h, pooled_w).

    A bin's cells are found in float32 as in Fast R-CNN; an empty bin gives 0.
    """
    image, x1, y1, x2, y2 = rois.flatten(1).float().unbind(1)
    rows = RoiAxis.of(y1, y2, pooled_h, scale).bins(pooled_h, features.shape[2]).tolist()
    columns = RoiAxis.of(x1, x2, pooled_w, scale).bins(pooled_w, features.shape[3]).tolist()
    tops = features.new_zeros(len(rois), features.shape[1], pooled_h, pooled_w)
    for roi, number in enumerate(image.long().tolist()):
        for i, (top, bottom) in enumerate(rows[roi]):
            tall = features[number, :, top:bottom].amax(1) if bottom > top else None  # (C, W)
            for j, (left, right) in enumerate(columns[roi]):
                if tall is not None and right > left:
                    tops[roi, :, i, j] = tall[:, left:right].amax(1)
    return tops


def psroi_pool(features: Tensor, rois: Tensor, group: int, scale: float) -> Tensor:
    """The mean of each bin's own channels: (N, D * group², H, W), (R, 5) -> (R, D, group, group).

    Sums of bins are differences of running sums, in float64; features must be finite. An empty bin gives 0.
    """
    n, _, h, w = features.shape
    sums = F.pad(features.double().cumsum(2).cumsum(3), (1, 0, 1, 0)).view(n, -1, group, group, h + 1, w + 1)
    image, x1, y1, x2, y2 = rois.flatten(1).float().unbind(1)
    rows, columns = (
        axis_bins(y1, y2, group, h, scale).long(),
        axis_bins(x1, x2, group, w, scale).long(),
    )  # (R, group, 2)
    (top, bottom), (left, right) = rows.unbind(2), columns.unbind(2)
    bottom, right = bottom.maximum(top), right.maximum(left)
    number = image.long()[:, None, None]
    i, j = torch.arange(group, device=rois.device)[:, None], torch.arange(group, device=rois.device)

    def upto(y: Tensor, x: Tensor) -> Tensor:
        return sums.permute(0, 2, 3, 4, 5, 1)[number, i, j, y[:, :, None], x[:, None]]  # (R, group, group, D)

    total = upto(bottom, right) - upto(top, right) - upto(bottom, left) + upto(top, left)
    area = (bottom - top)[:, :, None] * (right - left)[:, None]
    return (total / area.clamp(min=1)[..., None]).permute(0, 3, 1, 2).to(features.dtype)
