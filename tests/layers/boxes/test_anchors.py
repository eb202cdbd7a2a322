from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from recaffe.layers.base.layer import LayerError
from recaffe.layers.boxes.anchors import AnchorGrid, all_anchors, caffe_anchors, d2l_anchors, inside, yx_anchors

CAFFE = torch.tensor(
    [
        [-84, -40, 99, 55],
        [-176, -88, 191, 103],
        [-360, -184, 375, 199],
        [-56, -56, 71, 71],
        [-120, -120, 135, 135],
        [-248, -248, 263, 263],
        [-36, -80, 51, 95],
        [-80, -168, 95, 183],
        [-168, -344, 183, 359],
    ],
    dtype=torch.float64,
)


def test_caffes_table() -> None:
    assert_close(caffe_anchors(), CAFFE, rtol=0, atol=0)


def test_matlabs_table_is_caffes_counted_from_one() -> None:
    assert (caffe_anchors() + 1)[0].tolist() == [-83, -39, 100, 56]


def test_sizes_are_rounded_half_to_even() -> None:
    # 16 * 16 / 0.5 = 512, its root 22.6 -> 23 wide; 23 * 0.5 = 11.5 -> 12 high
    x1, y1, x2, y2 = caffe_anchors(16, (0.5,), (1,))[0].tolist()
    assert (x2 - x1 + 1, y2 - y1 + 1) == (23, 12)


def test_caffes_table_of_other_sizes() -> None:
    table = caffe_anchors(15, (0.25, 3), (2, 5))
    widths, heights = (table[:, 2:] - table[:, :2] + 1).unbind(1)
    assert widths.tolist() == [60, 150, 18, 45]
    assert heights.tolist() == [16, 40, 54, 135]
    assert_close((table[:, :2] + table[:, 2:]) / 2, torch.full((4, 2), 7.0, dtype=torch.float64))


def test_the_y_first_table_is_not_rounded() -> None:
    table = yx_anchors()
    assert table.dtype == torch.float32
    assert_close(table[0], torch.tensor([-37.2548, -82.5097, 53.2548, 98.5097]), rtol=0, atol=1e-4)
    assert_close(table[8], torch.tensor([-354.0387, -173.0193, 370.0387, 189.0193]), rtol=0, atol=1e-4)
    assert_close((table[:, 2:] - table[:, :2]).prod(1), torch.tensor([128.0**2, 256**2, 512**2] * 3))


def test_d2l_takes_each_size_and_each_ratio_once() -> None:
    sparse = d2l_anchors(2, 3)
    assert sparse.shape == (2 * 3 * 5, 4)
    assert d2l_anchors(2, 3, every_pair=True).shape == (2 * 3 * 9, 4)
    root = 2**0.5
    sizes = [[0.75, 0.75], [0.5, 0.5], [0.25, 0.25], [0.75 * root, 0.75 / root], [0.75 / root, 0.75 * root]]
    assert_close((sparse[:, 2:] - sparse[:, :2])[5:10], torch.tensor(sizes, dtype=torch.float64))
    assert_close((sparse[:, 2:] + sparse[:, :2])[5] / 2, torch.tensor([0.5, 0.25], dtype=torch.float64))


def test_d2l_as_printed_changes_the_area() -> None:
    printed = d2l_anchors(1, 1, (0.5,), (4.0,), as_printed=True)[0]
    assert (printed[2:] - printed[:2]).tolist() == [1.0, 1.0]
    corrected = d2l_anchors(1, 1, (0.5,), (4.0,))[0]
    assert (corrected[2:] - corrected[:2]).tolist() == [1.0, 0.25]


def test_rows_run_over_h_then_w_then_a() -> None:
    base, height, width = caffe_anchors(), 4, 7
    anchors = all_anchors(base, height, width, 16)
    h, w, a = 2, 5, 3
    assert_close(anchors[(h * width + w) * 9 + a], base[a] + torch.tensor([w, h, w, h]) * 16)
    y_first = all_anchors(yx_anchors(), height, width, 16, y_first=True)
    assert_close(y_first[(h * width + w) * 9 + a], yx_anchors()[a] + torch.tensor([h, w, h, w]) * 16)


@pytest.mark.parametrize(
    ("cells", "picture", "total", "within"),
    [((38, 63), (600, 1000), 21546, 8151), ((39, 51), (600, 800), 17901, 5944)],
)
def test_how_many_anchors_lie_inside(cells: tuple[int, int], picture: tuple[int, int], total: int, within: int) -> None:
    anchors = all_anchors(caffe_anchors(), *cells, 16)
    assert len(anchors) == total
    assert int(inside(anchors, *picture).sum()) == within


def test_how_many_of_each_type_lie_inside() -> None:
    fits = inside(all_anchors(caffe_anchors(), 38, 63, 16), 600, 1000)
    assert fits.view(-1, 9).sum(0).tolist() == [1632, 1040, 238, 1650, 1034, 186, 1539, 832, 0]


def test_how_many_y_first_anchors_lie_inside() -> None:
    anchors = all_anchors(yx_anchors(), 37, 62, 16, y_first=True)
    assert len(anchors) == 20646
    assert int(inside(anchors, 1000, 600, closed=True).sum()) == 8044


def test_the_border_is_open_at_the_right_and_may_be_moved() -> None:
    anchors = torch.tensor([[0.0, 0, 9, 4], [0, 0, 10, 4], [-2, 0, 9, 4], [0, 0, 9, 5]])
    assert inside(anchors, 5, 10).tolist() == [True, False, False, False]
    assert inside(anchors, 5, 10, closed=True).tolist() == [True, True, False, True]
    assert inside(anchors, 5, 10, border=2).tolist() == [True] * 4


def test_a_grid_keeps_few_maps_and_gives_the_same_again() -> None:
    grid = AnchorGrid(8, (2, 4), (1,), 16, kept=2)
    cpu = torch.device("cpu")
    first = grid.over(3, 5, cpu)
    assert grid.over(3, 5, cpu) is first
    assert len(first) == 3 * 5 * len(grid)
    grid.over(4, 5, cpu), grid.over(5, 6, cpu)
    assert grid.over(3, 5, cpu) is not first


@pytest.mark.parametrize("wrong", [(), (8, -1), (0,), (float("nan"),), ("wide",), 8, (float("inf"),)])
def test_wrong_numbers_are_refused(wrong: object) -> None:
    with pytest.raises(LayerError, match="scales must be positive numbers"):
        caffe_anchors(scales=wrong)  # type: ignore[arg-type]
