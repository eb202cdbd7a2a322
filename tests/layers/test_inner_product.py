from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.inner_product import InnerProductLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "ip": {"num_output": 6},
    "ip_axis2": {"num_output": 4, "axis": 2},
    "ip_transpose": {"num_output": 6, "transpose": True},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: InnerProductLayer(**CASES[name]))


@pytest.mark.parametrize("transpose", [False, True])
def test_gradients(check_gradients: CheckGradients, transpose: bool) -> None:
    check_gradients(InnerProductLayer(num_output=5, axis=-2, transpose=transpose), (2, 3, 4, 1))


def test_from_axis_zero_it_gives_one_vector() -> None:
    layer = InnerProductLayer(num_output=5, axis=0, bias_term=False)
    layer.setup((2, 3))
    assert layer.param_shapes == [(5, 6)]
    assert layer.top_shapes((2, 3)) == ((5,),)


def test_multiply_adds() -> None:
    layer = InnerProductLayer(num_output=5, axis=2)
    layer.setup((2, 3, 4))
    assert layer.multiply_adds((2, 3, 4)) == 2 * 3 * 4 * 5


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LayerError, match="needs num_output"):
        InnerProductLayer()
    layer = InnerProductLayer(num_output=5)
    layer.setup((2, 3, 4))
    assert layer(torch.zeros(7, 12))[0].shape == (7, 5)
    with pytest.raises(LayerError, match="was set up for 12 numbers from axis 1 on, the bottom is 2×13"):
        layer(torch.zeros(2, 13))
