from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.sigmoid_cross_entropy_loss import SigmoidCrossEntropyLossLayer

from .conftest import CheckGradients, Replay

SAID = frozenset({"normalization", "ignore_label"})
CASES: dict[str, dict[str, Any]] = {
    "sigmoid_ce": {},
    "sigmoid_ce_ignore": {"ignore_label": 0, "normalization": "VALID", "given": SAID},
}
SCORES = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(3))
TARGETS = torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(4)).round(decimals=1) * 2


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: SigmoidCrossEntropyLossLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(SigmoidCrossEntropyLossLayer(), (2, 3, 5), TARGETS)
    check_gradients(SigmoidCrossEntropyLossLayer(ignore_label=1), (2, 3, 5), TARGETS.flatten(1))


@pytest.mark.parametrize(
    ("keywords", "divisor"),
    [
        ({}, 2),
        ({"normalize": False}, 2),
        ({"normalize": True}, None),
        ({"normalization": "VALID", "given": SAID}, None),
        ({"normalization": "VALID", "normalize": False, "given": SAID}, None),
        ({"normalization": "FULL"}, 30),
        ({"normalization": "BATCH_SIZE"}, 2),
        ({"normalization": "NONE"}, 1),
        ({"normalization": "PRE_FIXED", "pre_fixed_normalizer": 128}, 128),
    ],
)
def test_every_divisor(keywords: dict[str, Any], divisor: int | None) -> None:
    # Caffe takes a target's whole part before it looks for ignore_label.
    kept = TARGETS.int() != 0
    assert 5 < kept.sum() < 25
    p = SCORES.sigmoid()
    errors = -(TARGETS * p.log() + (1 - TARGETS) * (1 - p).log())[kept]
    (loss,) = SigmoidCrossEntropyLossLayer(ignore_label=0, **keywords)(SCORES, TARGETS)
    assert loss.item() == pytest.approx(errors.sum().item() / (divisor or kept.sum().item()), rel=1e-5)


def test_all_targets_may_be_ignored() -> None:
    layer = SigmoidCrossEntropyLossLayer(ignore_label=-1, normalize=True)
    x = torch.full((2, 3), torch.inf, requires_grad=True)
    (loss,) = layer(x, torch.full((2, 3), -1.0))
    loss.backward()
    assert loss.item() == 0
    assert x.grad is not None
    assert x.grad.count_nonzero() == 0


def test_large_scores_keep_their_loss() -> None:
    (loss,) = SigmoidCrossEntropyLossLayer()(torch.tensor([[500.0, -500.0]]), torch.tensor([[0.0, 1.0]]))
    assert loss.item() == 1000


def test_targets_must_suit_the_scores() -> None:
    with pytest.raises(LayerError, match="one first axis, got 2×6 and 3×4"):
        SigmoidCrossEntropyLossLayer().top_shapes((2, 6), (3, 4))
    with pytest.raises(LayerError, match="as many targets as scores, got 2×6 and 2×3"):
        SigmoidCrossEntropyLossLayer().top_shapes((2, 6), (2, 3))
