import math
from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.exp import ExpLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {"exp": {"base": 2.0, "scale": 0.5, "shift": 0.1}, "exp_e": {}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ExpLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(ExpLayer(base=0.3, scale=-1.5, shift=2.0), (2, 3, 4))


def test_the_base_may_be_below_one() -> None:
    (top,) = ExpLayer(base=0.5, scale=2.0, shift=-1.0)(torch.tensor([0.0, 1.0, -1.0]))
    assert top.tolist() == pytest.approx([2.0, 0.5, 8.0])


@pytest.mark.parametrize("base", [0.0, -2.0, math.inf, math.nan])
def test_a_base_must_be_positive(base: float) -> None:
    with pytest.raises(LayerError, match="takes a base above 0, or -1 for e"):
        ExpLayer(base=base)
