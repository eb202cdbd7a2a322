from typing import Any

import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import LayerError
from recaffe.layers.prelu import PReLULayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "prelu": {"filler": Filler("uniform", min=0.1, max=0.4)},
    "prelu_zeros": {},
    "prelu_shared": {"channel_shared": True, "filler": Filler(value=0.3)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: PReLULayer(**CASES[name]))


@pytest.mark.parametrize("channel_shared", [False, True])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5, 6)])
def test_gradients(check_gradients: CheckGradients, channel_shared: bool, shape: tuple[int, ...]) -> None:
    check_gradients(PReLULayer(channel_shared=channel_shared), shape)


def test_at_zero_the_gradient_is_the_slope() -> None:
    layer, bottom = PReLULayer(), torch.zeros(2, 3, requires_grad=True)
    layer.setup((2, 3))
    layer(bottom)[0].sum().backward()
    assert layer.params[0].tolist() == [0.25] * 3
    assert bottom.grad is not None
    assert bottom.grad.tolist() == [[0.25] * 3] * 2


def test_other_channels_than_at_setup_are_refused() -> None:
    layer = PReLULayer()
    layer.setup((2, 3, 4))
    with pytest.raises(LayerError, match="was set up for 3 channels, the bottom is 2×1×4"):
        layer(torch.zeros(2, 1, 4))


def test_a_bottom_without_channels_is_refused() -> None:
    with pytest.raises(LayerError, match="at least 2 axes, got 5"):
        PReLULayer().setup((5,))
