import math
from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.softmax_loss import SoftmaxWithLossLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "softmax_loss_all_ignored": {"ignore_label": 0, "normalize": True},
    "softmax_loss_batch": {"ignore_label": 0, "normalization": "BATCH_SIZE"},
    "softmax_loss_default": {},
    "softmax_loss_full": {"normalization": "FULL"},
    "softmax_loss_ignore": {"ignore_label": 2},
    "softmax_loss_nonorm": {"normalize": False},
    "softmax_loss_rpn": {"ignore_label": 2, "normalize": True},
    "softmax_loss_weighted": {},
}
SCORES = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([[0.0, 2, 1, 1, 0], [2, 2, 0, 1, 0]])


def loss_of(scores: torch.Tensor, labels: torch.Tensor, **keywords: Any) -> float:
    return float(SoftmaxWithLossLayer(**keywords)(scores, labels)[0])


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: SoftmaxWithLossLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(SoftmaxWithLossLayer(ignore_label=1), SCORES.clone().requires_grad_(), LABELS)
    check_gradients(SoftmaxWithLossLayer(axis=-1), (2, 3, 5), LABELS[:, :3])


@pytest.mark.parametrize(
    ("keywords", "divisor"),
    [
        ({}, 7),
        ({"normalization": "VALID"}, 7),
        ({"normalization": "FULL"}, 10),
        ({"normalization": "BATCH_SIZE"}, 2),
        ({"normalization": "NONE"}, 1),
        ({"normalization": "PRE_FIXED", "pre_fixed_normalizer": 128}, 128),
        ({"normalization": "PRE_FIXED", "pre_fixed_normalizer": 0.5}, 1),
        ({"normalize": True}, 7),
        ({"normalize": False}, 2),
        ({"normalization": "FULL", "normalize": False}, 10),
        ({"normalization": "VALID", "normalize": False, "given": frozenset({"normalization", "normalize"})}, 7),
    ],
)
def test_every_divisor(keywords: dict[str, Any], divisor: float) -> None:
    picked = SCORES.log_softmax(1).gather(1, LABELS[:, None].long())[LABELS[:, None] != 1]
    expected = -picked.sum().item() / divisor
    assert loss_of(SCORES, LABELS, ignore_label=1, **keywords) == pytest.approx(expected, rel=1e-5)


def test_labels_may_have_the_axis_or_not() -> None:
    assert loss_of(SCORES, LABELS[:, None]) == loss_of(SCORES, LABELS)


def test_probabilities_are_a_top_without_a_diff() -> None:
    layer = SoftmaxWithLossLayer()
    layer.setup((2, 3, 5), (2, 5), num_tops=2)
    loss, probabilities = layer(SCORES.clone().requires_grad_(), LABELS)
    torch.testing.assert_close(probabilities, SCORES.softmax(1))
    assert (loss.requires_grad, probabilities.requires_grad) == (True, False)


def test_the_loss_has_a_floor_but_not_its_diff() -> None:
    x = torch.tensor([[0.0, 300.0]], requires_grad=True)
    (loss,) = SoftmaxWithLossLayer()(x, torch.zeros(1))
    assert loss.item() == pytest.approx(-math.log(torch.finfo(torch.float32).tiny))
    loss.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[-1, 1]]


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_that_is_no_class_is_refused(label: float) -> None:
    with pytest.raises(LayerError, match=r"a label is not in 0\.\.2, the classes of scores 2×3×5"):
        loss_of(SCORES, torch.full((2, 5), float(label)))


def test_labels_must_suit_the_scores() -> None:
    with pytest.raises(LayerError, match="one first axis, got 2×3×5 and 3×5"):
        SoftmaxWithLossLayer().top_shapes((2, 3, 5), (3, 5))
    with pytest.raises(LayerError, match="takes 10 labels for scores 2×3×5 with axis 1, got 2×4"):
        SoftmaxWithLossLayer().top_shapes((2, 3, 5), (2, 4))
