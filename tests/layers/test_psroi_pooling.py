import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from recaffe.layers.base.layer import LayerError
from recaffe.layers.psroi_pooling import PSROIPoolingLayer, psroi_pool

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "psroi_3": {"output_dim": 5, "group_size": 3, "spatial_scale": 0.0625},
    "psroi_7": {"output_dim": 2, "group_size": 7, "spatial_scale": 0.0625},
}
NAN, INF = float("nan"), float("inf")
F = np.float32


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, kernels: str, name: str) -> None:
    replay(name, lambda: PSROIPoolingLayer(**CASES[name]))


def span(low: float, high: float, k: int, group: int, scale: float, size: int) -> range:
    """The cells of bin k along one axis, number by number."""
    start, end = F(whole(low)) * F(scale), F(whole(high) + 1) * F(scale)
    step = max(end - start, F(0.1)) / F(group)
    edges = math.floor(F(k) * step + start), math.ceil(F(k + 1) * step + start)
    return range(*(min(max(edge, 0), size) for edge in edges))


def whole(x: float) -> int:
    x = 0.0 if math.isnan(x) else min(max(x, -(2.0**30)), 2.0**30)
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def by_the_book(x: Tensor, rois: Tensor, top_diff: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Top and bottom diff, a bin at a time; sums in float64."""
    top, diff = torch.zeros_like(top_diff), torch.zeros_like(x, dtype=torch.float64)
    group = top.shape[2]
    for r, (image, x1, y1, x2, y2) in enumerate(rois.tolist()):
        for c, i, j in np.ndindex(*top.shape[1:]):
            rows = span(y1, y2, i, group, scale, x.shape[2])
            columns = span(x1, x2, j, group, scale, x.shape[3])
            if not rows or not columns:
                continue
            channel = (c * group + i) * group + j
            area = len(rows) * len(columns)
            cells = (int(image), channel, slice(rows.start, rows.stop), slice(columns.start, columns.stop))
            top[r, c, i, j] = x[cells].double().sum() / area
            diff[cells] += top_diff[r, c, i, j].double() / area
    return top, diff.float()


def both(x: Tensor, rois: Tensor, top_diff: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    x = x.detach().requires_grad_()
    top = psroi_pool(x, rois, top_diff.shape[2], scale)
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
        [0, 40, 20, 39, 60],  # no wider than nothing: 0.1 cells
        [0, 60, 70, 20, 10],  # inverted
        [1, -90, -50, -20, -10],  # all outside
        [1, 500, 500, 900, 900],
        [0, -INF, -INF, INF, INF],
        [1, 1e30, 5, -1e30, 50],
        [0, NAN, NAN, NAN, NAN],
        [1, 8, NAN, 90, 60],
        [0.9, 4.5, 12.5, 20.5, 28.5],  # halves round away from zero; the image is cut to 0
        [-0.9, -4.5, -12.5, 20.49, 28.51],
        [1, 16, 16, 71, 71],  # 7 cells: edges fall on whole cells
    ]
)


@pytest.mark.parametrize(("dim", "group", "scale"), [(2, 3, 0.125), (3, 1, 0.125), (1, 7, 0.125), (2, 5, 0.3)])
def test_the_rule_number_by_number(kernels: str, dim: int, group: int, scale: float) -> None:
    x = torch.randn(2, dim * group**2, 13, 17)
    rois = torch.cat((ODD_ROIS, random_rois(20, 2)))
    top_diff = torch.randn(len(rois), dim, group, group)
    expected_top, expected_diff = by_the_book(x, rois, top_diff, scale)
    for features in layouts(x):
        top, diff = both(features, rois, top_diff, scale)
        assert top.is_contiguous()
        assert_close(top, expected_top, rtol=1e-5, atol=1e-6)
        assert_close(diff, expected_diff, rtol=1e-5, atol=1e-6)


def test_the_kernels_and_torch_agree_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    x, rois, top_diff = torch.randn(2, 18, 13, 17), random_rois(30, 2), torch.randn(30, 2, 3, 3)
    top, diff = both(x, rois, top_diff, 0.125)
    monkeypatch.setattr("recaffe.layers.native.kernels.library", lambda: None)
    for ours, theirs in zip(both(x, rois, top_diff, 0.125), (top, diff), strict=True):
        assert torch.equal(ours, theirs)


def test_one_bin_of_one_roi(kernels: str) -> None:
    """R-FCN rounds corners before it scales them: 23.5 to 24, 39 to 39; cells from 24/16 on to before 40/16."""
    x = torch.arange(5.0).view(1, 1, 1, 5).requires_grad_()
    top = psroi_pool(x, torch.tensor([[0, 23.5, 0, 39, 0]]), 1, 1 / 16)
    assert top.item() == (1 + 2) / 2
    top.sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0, 0.5, 0.5, 0, 0]


def test_what_is_not_finite_stays_in_its_bins(kernels: str) -> None:
    x = torch.ones(1, 4, 6, 7)
    x[0, 1, 0, 6], x[0, 2, 5, 0] = NAN, INF
    top = psroi_pool(x, torch.tensor([[0.0, 0, 0, 6, 5], [0, 0, 0, 3, 2]]), 2, 1.0)
    assert_close(top, torch.tensor([[[[1, NAN], [INF, 1]]], [[[1, 1], [1, 1]]]]), equal_nan=True)


def test_threads_change_nothing(kernels: str) -> None:
    x, rois, top_diff = torch.randn(2, 36, 13, 17), random_rois(11, 2), torch.randn(11, 4, 3, 3)
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
    x = torch.randn(2, 8, 13, 17).contiguous(memory_format=torch.channels_last)
    _, diff = both(x, random_rois(3, 2), torch.randn(3, 2, 2, 2), 0.125)
    assert diff.is_contiguous(memory_format=torch.channels_last)


def test_gradients(check_gradients: CheckGradients) -> None:
    layer = PSROIPoolingLayer(output_dim=2, group_size=2, spatial_scale=0.06)
    check_gradients(layer, (2, 8, 5, 6), random_rois(6, 2))


def test_no_gradient_for_rois() -> None:
    x, rois = torch.randn(2, 12, 13, 17).requires_grad_(), random_rois(4, 2).requires_grad_()
    psroi_pool(x, rois, 2, 0.125).sum().backward()
    assert x.grad is not None
    assert rois.grad is None


def test_bfloat16(kernels: str) -> None:
    x, rois = torch.randn(2, 27, 13, 17).bfloat16(), random_rois(4, 2)
    top = psroi_pool(x, rois, 3, 0.125)
    assert top.dtype == torch.bfloat16
    assert torch.equal(top, psroi_pool(x.float(), rois, 3, 0.125).bfloat16())


def test_no_rois(kernels: str) -> None:
    top, diff = both(torch.randn(2, 27, 13, 17), torch.empty(0, 5), torch.empty(0, 3, 3, 3), 0.125)
    assert top.shape == (0, 3, 3, 3)
    assert not diff.any()


def test_rois_with_trailing_axes() -> None:
    layer = PSROIPoolingLayer(output_dim=3, group_size=2, spatial_scale=0.125)
    x, rois = torch.randn(2, 12, 13, 17), random_rois(4, 2)
    layer.setup(tuple(x.shape), (4, 5, 1, 1))
    assert layer.top_shapes((2, 12, 13, 17), (4, 5, 1, 1)) == ((4, 3, 2, 2),)
    assert torch.equal(layer(x, rois[..., None, None])[0], layer(x, rois)[0])


def test_an_image_that_is_not_there_is_refused(kernels: str) -> None:
    rois = random_rois(4, 2)
    rois[3, 0] = 2
    with pytest.raises(LayerError, match="RoI 3 is of image 2, but the features have 2"):
        psroi_pool(torch.randn(2, 12, 13, 17), rois, 2, 0.125)


def test_bad_fields_and_shapes_are_refused() -> None:
    with pytest.raises(LayerError, match="needs spatial_scale, output_dim and group_size"):
        PSROIPoolingLayer(output_dim=3, group_size=7)
    with pytest.raises(LayerError, match="at least 1, got 0 and 7"):
        PSROIPoolingLayer(output_dim=0, group_size=7, spatial_scale=0.125)
    layer = PSROIPoolingLayer(output_dim=3, group_size=2, spatial_scale=0.125)
    with pytest.raises(LayerError, match=r"12 channels \(output_dim 3 \* group_size 2²\), got 13"):
        layer.setup((2, 13, 6, 7), (4, 5))
    with pytest.raises(LayerError, match="takes rois R x 5"):
        layer.setup((2, 12, 6, 7), (4, 4))
    with pytest.raises(LayerError, match=r"takes 2 bottom blob\(s\), got 1"):
        layer.setup((2, 12, 6, 7))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_compilers_see_the_operation(kernels: str, memory_format: torch.memory_format) -> None:
    x = torch.randn(2, 27, 13, 17).contiguous(memory_format=memory_format).requires_grad_()
    torch.library.opcheck(torch.ops.recaffe.psroi_pool.default, (x, random_rois(4, 2), 3, 0.125))
