from typing import Any

import pytest

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
