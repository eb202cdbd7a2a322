from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.clip import ClipLayer

from .conftest import CheckGradients, Replay

CASES = {"clip": (-0.5, 0.8), "clip_crossed": (0.7, -0.2)}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    low, high = CASES[name]
    replay(name, lambda: ClipLayer(min=low, max=high))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(ClipLayer(min=-0.5, max=0.8), (2, 3, 4))


def test_the_diff_passes_at_the_limits() -> None:
    bottom = torch.tensor([-1.5, -1.0, 0.0, 2.0, 2.5], requires_grad=True)
    (top,) = ClipLayer(min=-1.0, max=2.0)(bottom)
    top.sum().backward()
    assert top.tolist() == [-1, -1, 0, 2, 2]
    assert bottom.grad is not None
    assert bottom.grad.tolist() == [0, 1, 1, 1, 0]


def test_of_crossed_limits_the_lower_decides() -> None:
    bottom = torch.tensor([0.0, 1.0, 3.0, 5.0], requires_grad=True)
    (top,) = ClipLayer(min=3.0, max=1.0)(bottom)
    top.sum().backward()
    assert top.tolist() == [3, 3, 3, 3]
    assert bottom.grad is not None
    assert not bottom.grad.any()


@pytest.mark.parametrize(
    ("keywords", "missing"),
    [({"max": 1.0}, "min is missing"), ({"min": 0.0}, "max is missing"), ({}, "min is missing")],
)
def test_both_limits_must_be_given(keywords: dict[str, Any], missing: str) -> None:
    with pytest.raises(LayerError, match=missing):
        ClipLayer(**keywords)
