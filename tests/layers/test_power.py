import math
from typing import Any

import pytest
import torch

from recaffe.layers.power import PowerLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "power": {"power": 2, "scale": 0.5, "shift": 1.5},
    "power_frac": {"power": 0.5, "scale": 2, "shift": 0.5},
    "power_zero_scale": {"power": 1.7, "scale": 0, "shift": 2},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: PowerLayer(**CASES[name]))


@pytest.mark.parametrize("power", [0, 1, 3])
def test_gradients(check_gradients: CheckGradients, power: float) -> None:
    check_gradients(PowerLayer(power=power, scale=-2, shift=0.3), (2, 3))


def test_a_zero_keeps_its_sign() -> None:
    zeros = torch.tensor([0.0, -0.0])
    assert PowerLayer(power=-1, scale=-1)(zeros)[0].tolist() == [-math.inf, math.inf]
    assert PowerLayer(power=-1)(zeros)[0].tolist() == [math.inf, -math.inf]
    assert PowerLayer(power=-1, scale=-1, shift=1e-30)(zeros)[0].isfinite().all()


@pytest.mark.parametrize(
    ("keywords", "want"),
    [
        ({"scale": 0, "shift": 4, "power": 0.5}, 2.0),
        ({"power": 0, "shift": 5}, 1.0),
        ({"scale": 0, "power": -1}, 1e999),
    ],
)
def test_a_bottom_that_does_not_count_is_not_read(keywords: dict[str, float], want: float) -> None:
    x = torch.tensor([math.nan, math.inf, 1.0], requires_grad=True)
    (y,) = PowerLayer(**keywords)(x)
    assert y.tolist() == [want] * 3
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 0]


def test_its_top_is_never_the_bottom_itself() -> None:
    x = torch.zeros(2)
    assert PowerLayer()(x)[0] is not x
