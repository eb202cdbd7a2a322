from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.smooth_l1_loss import SmoothL1LossLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {"smooth_l1": {}, "smooth_l1_iw_ow": {}, "smooth_l1_sigma3": {"sigma": 3}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: SmoothL1LossLayer(**CASES[name]))


def test_prediction_and_target_get_diffs_and_weights_none(check_gradients: CheckGradients) -> None:
    inside, outside = torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    check_gradients(SmoothL1LossLayer(sigma=1.5), (2, 3, 4), (2, 3, 4), inside, outside)
    bottoms = [torch.rand(2, 3).requires_grad_() for _ in range(4)]
    SmoothL1LossLayer()(*bottoms)[0].backward()
    assert [b.grad is not None for b in bottoms] == [True, True, False, False]


def test_the_squared_part_ends_at_one_over_sigma_squared() -> None:
    layer, zero = SmoothL1LossLayer(sigma=2), torch.zeros(1, 3)
    (loss,) = layer(torch.tensor([[0.1, 0.25, -1.0]]), zero)
    assert loss.item() == pytest.approx(2 * 0.1**2 + 0.125 + 0.875)


def test_axes_of_one_at_the_end_do_not_count() -> None:
    (loss,) = SmoothL1LossLayer()(torch.full((2, 3, 1, 1), 4.0), torch.zeros(2, 3))
    assert loss.item() == 2 * 3 * 3.5 / 2


def test_what_caffe_refuses_is_refused() -> None:
    with pytest.raises(LayerError, match="2 bottoms, or 4 with inside and outside weights, got 3"):
        SmoothL1LossLayer().setup((2, 3), (2, 3), (2, 3))
    with pytest.raises(LayerError, match=r"2×3×1×1 and, as bottom 1, 2×1×1×1"):
        SmoothL1LossLayer().top_shapes((2, 3), (2, 1))


def test_a_sigma_of_0_makes_every_error_0() -> None:
    x = torch.tensor([[3.0, -4.0]], requires_grad=True)
    (loss,) = SmoothL1LossLayer(sigma=0)(x, torch.zeros(1, 2))
    loss.backward()
    assert loss.item() == 0
    assert x.grad is not None
    assert (x.grad == 0).all()
