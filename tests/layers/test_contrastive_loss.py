from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.contrastive_loss import ContrastiveLossLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "contrastive": {"margin": 2.5},
    "contrastive_legacy": {"margin": 2.5, "legacy_version": True},
    "contrastive_near": {},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ContrastiveLossLayer(**CASES[name]))


@pytest.mark.parametrize("legacy", [False, True])
def test_gradients(check_gradients: CheckGradients, legacy: bool) -> None:
    # Far from one another, so that Caffe's 1e-4 in the diff does not show.
    a = torch.tensor([[3.0, 4, 0], [30, 40, 0], [0, 30, 40], [60, 0, 80]], requires_grad=True)
    b = torch.zeros(4, 3, requires_grad=True)
    check_gradients(ContrastiveLossLayer(margin=60, legacy_version=legacy), a, b, torch.tensor([0.0, 0, 1, 0]))


def test_the_distance_counts_not_its_square() -> None:
    a, b = torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)
    for margin, legacy, expected in ((7.0, False, 2), (7.0, True, 0), (27.0, True, 1), (4.0, False, 0)):
        (loss,) = ContrastiveLossLayer(margin=margin, legacy_version=legacy)(a, b, torch.zeros(1))
        assert loss.item() == expected


def test_the_whole_part_says_what_is_similar() -> None:
    a, b, y = torch.full((4, 3), 2.0), torch.zeros(4, 3), torch.tensor([0.9, 1.2, -0.9, -1.0])
    (loss,) = ContrastiveLossLayer(margin=1)(a, b, y)
    assert loss.item() == 2 * 12 / 8


def test_equal_items_have_no_diff() -> None:
    a, b = torch.ones(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    ContrastiveLossLayer()(a, b, torch.tensor([0.0, 1.0]))[0].backward()
    assert a.grad is not None
    assert a.grad.count_nonzero() == 0


def test_near_items_feel_caffes_constant() -> None:
    a, b = torch.tensor([[1e-4, 0.0]], requires_grad=True), torch.zeros(1, 2)
    ContrastiveLossLayer()(a, b, torch.zeros(1))[0].backward()
    assert a.grad is not None
    assert a.grad[0].tolist() == pytest.approx([-(1 - 1e-4) / 2, 0])


def test_shapes_must_agree() -> None:
    layer = ContrastiveLossLayer()
    assert layer.top_shapes((4, 3), (4, 3, 1, 1), (4, 1)) == ((),)
    for a, b in (((4, 3), (4, 2)), ((4, 3, 2), (4, 3, 2))):
        with pytest.raises(LayerError, match="takes a and b of one shape N×C"):
            layer.top_shapes(a, b, (4,))
    with pytest.raises(LayerError, match="one number for each of the 4 pairs, got 4×2"):
        layer.top_shapes((4, 3), (4, 3), (4, 2))
    with pytest.raises(LayerError, match="one first axis, got 4×3 and 5"):
        layer.top_shapes((4, 3), (4, 3), (5,))
