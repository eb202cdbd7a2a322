import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from recaffe.layers.base.layer import LayerError
from recaffe.layers.roi_pooling import ROIPoolingLayer, roi_pool

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "roi_pool_3x5": {"pooled_h": 3, "pooled_w": 5, "spatial_scale": 0.125},
    "roi_pool_6": {"pooled_h": 6, "pooled_w": 6, "spatial_scale": 0.0625},
    **{
        f"roi_pool_{name}": {"pooled_h": 7, "pooled_w": 7, "spatial_scale": 0.0625}
        for name in ("7", "batch2", "negative_input", "outside")
    },
}
NAN, INF = float("nan"), float("inf")
F = np.float32


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, kernels: str, name: str) -> None:
    replay(name, lambda: ROIPoolingLayer(**CASES[name]))


class Axis:
    """One RoI along one axis, as the original's code has it, number by number."""

    def __init__(self, low: float, high: float, pooled: int, scale: float, size: int) -> None:
        self.first, self.last = (self.cell(float(F(x) * F(scale))) for x in (low, high))
        self.step = F(max(self.last - self.first + 1, 1)) / F(pooled)
        self.size = size

    @staticmethod
    def cell(x: float) -> int:
        x = 0.0 if math.isnan(x) else min(max(x, -(2.0**30)), 2.0**30)
        return int(math.copysign(math.floor(abs(x) + 0.5), x))

    def bin(self, k: int) -> range:
        start, end = math.floor(F(k) * self.step), math.ceil(F(k + 1) * self.step)
        return range(*(min(max(edge + self.first, 0), self.size) for edge in (start, end)))

    def takes(self, k: int, cell: int) -> bool:
        start, end = F(cell - self.first) / self.step, F(cell - self.first + 1) / self.step
        return self.first <= cell <= self.last and math.floor(start) <= k < math.ceil(end)


def by_the_book(x: Tensor, rois: Tensor, top_diff: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Top and bottom diff, a number at a time."""
    top, diff = torch.empty_like(top_diff), torch.zeros_like(x)
    for r, (image, x1, y1, x2, y2) in enumerate(rois.tolist()):
        n, rows = int(image), Axis(y1, y2, top.shape[2], scale, x.shape[2])
        columns = Axis(x1, x2, top.shape[3], scale, x.shape[3])
        for c, i, j in np.ndindex(*top.shape[1:]):
            cells = [(y, z) for y in rows.bin(i) for z in columns.bin(j)]
            best, at = (torch.finfo(torch.float32).min, None) if cells else (0.0, None)
            for y, z in cells:
                if x[n, c, y, z] > best:
                    best, at = float(x[n, c, y, z]), (y, z)
            top[r, c, i, j] = best
            if at and rows.takes(i, at[0]) and columns.takes(j, at[1]):
                diff[n, c, *at] += top_diff[r, c, i, j]
    return top, diff


def both(x: Tensor, rois: Tensor, top_diff: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    x = x.detach().requires_grad_()
    top = roi_pool(x, rois, *top_diff.shape[2:], scale)
    (diff,) = torch.autograd.grad(top, x, top_diff)
    return top.detach(), diff


def layouts(x: Tensor) -> Iterator[Tensor]:
    yield x
    yield x.contiguous(memory_format=torch.channels_last)
    yield torch.stack((x, x), dim=-1)[..., 0]


def random_rois(count: int, images: int) -> Tensor:
    centre, size = torch.rand(count, 2) * torch.tensor([130, 100]), torch.exp(torch.randn(count, 2) + 3)
    image = torch.randint(images, (count, 1))
    return torch.cat((image, centre - size / 2, centre + size / 2), dim=1)


ODD_ROIS = torch.tensor(
    [
        [0, 40, 20, 39, 60],  # narrower than a cell: still one
        [0, 60, 70, 20, 10],  # inverted
        [1, -90, -50, -20, -10],  # all outside
        [1, 500, 500, 900, 900],
        [0, -INF, -INF, INF, INF],
        [1, 1e30, 5, -1e30, 50],
        [0, NAN, NAN, NAN, NAN],
        [1, 8, NAN, 90, 60],
        [0.9, 4, 12, 20, 28],  # halves round away from zero; the image is cut to 0
        [-0.9, -4, -12, 20, 28],
    ]
)


@pytest.mark.parametrize(("h", "w", "scale"), [(6, 3, 0.125), (1, 1, 0.125), (2, 9, 0.3)])
def test_the_rule_number_by_number(kernels: str, h: int, w: int, scale: float) -> None:
    x = torch.randn(2, 5, 13, 17).mul(3).round()  # many equal maxima: the first counts
    x[0, 2, 3:8] = NAN
    x[1, 3, :, 5:12] = -INF
    rois = torch.cat((ODD_ROIS, random_rois(20, 2)))
    top_diff = torch.randn(len(rois), 5, h, w)
    expected_top, expected_diff = by_the_book(x, rois, top_diff, scale)
    for features in layouts(x):
        top, diff = both(features, rois, top_diff, scale)
        assert top.is_contiguous()
        assert_close(top, expected_top, rtol=0, atol=0)
        assert_close(diff, expected_diff, rtol=0, atol=0)


def test_seven_bins_of_57_cells_reach_a_58th_that_takes_no_gradient(kernels: str) -> None:
    x = torch.arange(60.0).view(1, 1, 1, 60).requires_grad_()
    top = roi_pool(x, torch.tensor([[0.0, 0, 0, 56, 0]]), 1, 7, 1.0)
    assert top.flatten().tolist() == [8, 16, 24, 32, 40, 48, 57]
    top.sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().nonzero().flatten().tolist() == [8, 16, 24, 32, 40, 48]


def test_threads_change_nothing(kernels: str) -> None:
    x, rois, top_diff = torch.randn(2, 130, 13, 17), random_rois(11, 2), torch.randn(11, 130, 3, 4)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results += [both(features, rois, top_diff, 0.125) for features in layouts(x)]
    finally:
        torch.set_num_threads(before)
    for top, diff in results:
        assert torch.equal(top, results[0][0])
        assert torch.equal(diff, results[0][1])


def test_the_diff_lies_in_memory_as_the_features(kernels: str) -> None:
    x = torch.randn(2, 5, 13, 17).contiguous(memory_format=torch.channels_last)
    _, diff = both(x, random_rois(3, 2), torch.randn(3, 5, 2, 4), 0.125)
    assert diff.is_contiguous(memory_format=torch.channels_last)


def test_no_gradient_for_rois() -> None:
    x, rois = torch.randn(2, 3, 13, 17).requires_grad_(), random_rois(4, 2).requires_grad_()
    roi_pool(x, rois, 5, 6, 0.125).sum().backward()
    assert x.grad is not None
    assert rois.grad is None


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(ROIPoolingLayer(4, 5, 0.125), (2, 3, 7, 9), random_rois(6, 2))


def test_float64_is_not_rounded(kernels: str) -> None:
    x, rois = torch.randn(2, 3, 13, 17, dtype=torch.float64), random_rois(4, 2)
    top = roi_pool(x, rois, 5, 6, 0.125)
    assert top.dtype == torch.float64
    assert torch.isin(top[top != 0], x).all()
    assert torch.equal(top.float(), roi_pool(x.float(), rois, 5, 6, 0.125))


def test_bfloat16(kernels: str) -> None:
    x, rois = torch.randn(2, 3, 13, 17).bfloat16(), random_rois(4, 2)
    top = roi_pool(x, rois, 5, 6, 0.125)
    assert top.dtype == torch.bfloat16
    assert torch.equal(top.float(), roi_pool(x.float(), rois, 5, 6, 0.125))


def test_no_rois(kernels: str) -> None:
    x = torch.randn(2, 3, 13, 17)
    top, diff = both(x, torch.empty(0, 5), torch.empty(0, 3, 6, 7), 0.125)
    assert top.shape == (0, 3, 6, 7)
    assert not diff.any()


def test_rois_with_trailing_axes() -> None:
    layer, x, rois = ROIPoolingLayer(6, 7, 0.125), torch.randn(2, 3, 13, 17), random_rois(4, 2)
    layer.setup(tuple(x.shape), (4, 5, 1, 1))
    assert layer.top_shapes((2, 3, 13, 17), (4, 5, 1, 1)) == ((4, 3, 6, 7),)
    assert torch.equal(layer(x, rois[..., None, None])[0], layer(x, rois)[0])


@pytest.mark.parametrize("image", [-1.0, 2.0, NAN, INF])
def test_an_image_that_is_not_there_is_refused(kernels: str, image: float) -> None:
    rois = random_rois(4, 2)
    rois[3, 0] = image
    with pytest.raises(LayerError, match=rf"RoI 3 is of image {image:g}, but the features have 2"):
        roi_pool(torch.randn(2, 3, 13, 17), rois, 6, 7, 0.125)


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(LayerError, match="at least 1, got 0 and 7"):
        ROIPoolingLayer(pooled_w=7)
    layer = ROIPoolingLayer(6, 7)
    with pytest.raises(LayerError, match=r"features N x C x H x W, got \(2, 3, 13\)"):
        layer.setup((2, 3, 13), (4, 5))
    for shape in ((4, 4), (4,), (4, 5, 1), (4, 5, 1, 2)):
        with pytest.raises(LayerError, match="takes rois R x 5"):
            layer.setup((2, 3, 13, 17), shape)
    with pytest.raises(LayerError, match=r"takes 2 bottom blob\(s\), got 1"):
        layer.setup((2, 3, 13, 17))


def test_compilers_see_the_operation(kernels: str) -> None:
    x = torch.randn(2, 3, 13, 17).contiguous(memory_format=torch.channels_last).requires_grad_()
    torch.library.opcheck(torch.ops.recaffe.roi_pool.default, (x, random_rois(4, 2), 5, 6, 0.125))
