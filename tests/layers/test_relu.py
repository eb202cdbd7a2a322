from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.relu import ReLULayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {"relu": {}, "relu_leaky": {"negative_slope": 0.1}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ReLULayer(**CASES[name]))


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.5])
def test_it_overwrites_where_it_may(check_gradients: CheckGradients, slope: float) -> None:
    expected = torch.tensor([-2 * slope, 3])
    for overwrite in (False, True):
        layer = ReLULayer(negative_slope=slope)
        layer.overwrite = overwrite
        leaf = torch.tensor([-2.0, 3.0], requires_grad=True)
        x = leaf * 1
        (y,) = layer(x)
        assert torch.equal(y, expected)
        assert (y.data_ptr() == x.data_ptr()) is (overwrite and slope >= 0)
        y.sum().backward()
        torch.testing.assert_close(leaf.grad, torch.tensor([slope, 1]))


def test_at_zero_the_gradient_is_the_slope() -> None:
    x = torch.zeros(2, requires_grad=True)
    ReLULayer(negative_slope=0.2)(x)[0].sum().backward()
    torch.testing.assert_close(x.grad, torch.full((2,), 0.2))


def test_one_bottom_and_one_top() -> None:
    with pytest.raises(LayerError, match=r"takes 1 bottom blob\(s\), got 2"):
        ReLULayer().setup((2, 3), (2, 3))
    with pytest.raises(LayerError, match=r"takes 1 top blob\(s\), got 2"):
        ReLULayer().setup((2, 3), num_tops=2)
