import pytest
import torch

from recaffe.layers.boxes.roi_bins import FARTHEST, RoiAxis, round_away, takes

NAN, INF = float("nan"), float("inf")


def test_halves_round_away_from_zero() -> None:
    values = torch.tensor([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999997, -0.49999997, 8388609.0, 2.4, -2.6])
    assert round_away(values).tolist() == [1, 2, 3, -1, -3, 0, 0, 8388609, 2, -3]


def test_what_is_no_place_has_one() -> None:
    assert round_away(torch.tensor([NAN, INF, -INF, 1e38])).tolist() == [0, FARTHEST, -FARTHEST, FARTHEST]


@pytest.mark.parametrize("length", [57, 114, 121, 228, 235, 242, 249])
def test_float32_reaches_one_cell_past_these_lengths(length: int) -> None:
    axis = RoiAxis.of(torch.tensor([10.0]), torch.tensor([9.0 + length]), 7, 1.0)
    assert axis.bins(7, 300)[0, -1, 1] == 10 + length + 1
    assert takes(axis, 7, 300)[0, -1].nonzero().max() == 10 + length - 1


def test_bins_by_hand() -> None:
    axis = RoiAxis.of(torch.tensor([-16.0, 40, 40]), torch.tensor([64.0, 24, 48]), 3, 1 / 16)
    assert axis.first.tolist() == [[-1], [3], [3]]
    assert axis.last.tolist() == [[4], [2], [3]]
    assert axis.bins(3, 4).tolist() == [[[0, 1], [1, 3], [3, 4]], [[3, 4]] * 3, [[3, 4]] * 3]
    assert takes(axis, 3, 4)[0].int().tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    assert not takes(axis, 3, 4)[1].any()
    assert takes(axis, 3, 4)[2].int().tolist() == [[0, 0, 0, 1]] * 3
