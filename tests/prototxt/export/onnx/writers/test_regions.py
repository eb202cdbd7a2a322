"""ROIPooling and PSROIPooling give the same in ONNX, on hard regions too."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch
from torch import Tensor

from ..conftest import Agree, inputs, layer


def hard_rois(scale: float) -> Tensor:
    """Regions whose bins round badly, lie outside, are inside out, or have no numbers; and many at random."""
    lengths = (1, 2, 7, 13, 57, 114, 121, 228, 235, 242, 249)
    rows = [[length % 2, 0, 0, (length - 1) / scale, (min(length, 40) - 1) / scale] for length in lengths]
    for half in (0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 0.5000001):
        rows += [[1, half / scale, half / scale, (half + 9) / scale, (half + 5) / scale], [0, half, half, half, half]]
    rows += [[0, 0, 0, 0, 0], [1, 50, 60, 20, 10], [0, -90, -90, 3000, 3000], [0, -9000, -9000, -8000, -8000]]
    rows += [[0, 1e4, 1e4, 2e4, 2e4], [0, 3e9, 3e9, 4e9, 4e9], [0, -1e10, -inf, 1e10, inf], [1, nan, 3, 50, nan]]
    generator = torch.Generator().manual_seed(6)
    drawn = torch.rand(300, 5, generator=generator) * torch.tensor([2, *[300 / scale] * 4]) - torch.tensor(
        [0, *[20] * 4]
    )
    drawn[:, 0].floor_()
    drawn[:150] = drawn[:150].mul(2).round() / 2
    return torch.cat([torch.tensor(rows), drawn])


def feeds(channels: int, scale: float, *tail: int) -> list[dict[str, object]]:
    rois = hard_rois(scale).reshape(-1, 5, *tail)
    sizes = ((2, channels, 40, 260), (2, channels, 13, 17))
    return [{"x": size, "rois": rois} for size in sizes] + [{"x": sizes[1], "rois": rois[:0]}]


@pytest.mark.parametrize(("height", "width", "scale"), [(7, 7, 0.0625), (6, 6, 0.25), (2, 5, 1.0), (3, 1, 1.5)])
def test_roi_pooling(height: int, width: int, scale: float, agree: Agree) -> None:
    fields = f"roi_pooling_param {{ pooled_h: {height} pooled_w: {width} spatial_scale: {scale} }}"
    text = inputs(x=(2, 3, 40, 260), rois=(4, 5)) + layer("ROIPooling", fields, "x rois")
    agree(text, *feeds(3, scale))


@pytest.mark.parametrize(("size", "scale"), [(7, 0.0625), (3, 0.25), (1, 1.0)])
def test_psroi_pooling(size: int, scale: float, agree: Agree) -> None:
    fields = f"psroi_pooling_param {{ output_dim: 2 group_size: {size} spatial_scale: {scale} }}"
    channels = 2 * size * size
    text = inputs(x=(2, channels, 40, 260), rois=(4, 5)) + layer("PSROIPooling", fields, "x rois")
    agree(text, *feeds(channels, scale))


def test_rois_of_four_axes(agree: Agree) -> None:
    rois = inputs(x=(2, 8, 9, 11), rois=(4, 5, 1, 1))
    pooled = layer("ROIPooling", "roi_pooling_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.5 }", "x rois")
    agree(rois + pooled, *feeds(8, 0.5, 1, 1))
    fields = "psroi_pooling_param { output_dim: 2 group_size: 2 spatial_scale: 0.5 }"
    agree(rois + layer("PSROIPooling", fields, "x rois"), *feeds(8, 0.5, 1, 1))
