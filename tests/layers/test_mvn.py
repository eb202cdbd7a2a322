from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.mvn import MVNLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "mvn": {},
    "mvn_across": {"across_channels": True, "eps": 0.001},
    "mvn_mean_only": {"normalize_variance": False},
    "mvn_three_axes": {"across_channels": True, "eps": 0.3},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: MVNLayer(**CASES[name]))


@pytest.mark.parametrize("across_channels", [False, True])
@pytest.mark.parametrize("normalize_variance", [False, True])
def test_gradients(check_gradients: CheckGradients, across_channels: bool, normalize_variance: bool) -> None:
    layer = MVNLayer(across_channels=across_channels, normalize_variance=normalize_variance, eps=0.0)
    check_gradients(layer, (2, 3, 4, 5))


def test_missing_axes_are_added() -> None:
    layer = MVNLayer(across_channels=True)
    layer.setup((2, 3))
    assert layer.top_shapes((2, 3)) == ((2, 3, 1, 1),)
    (top,) = layer(torch.tensor([[0.0, 3.0, 6.0], [1.0, 1.0, 1.0]]))
    assert top.flatten(1).tolist() == [pytest.approx([-(1.5**0.5), 0, 1.5**0.5]), [0, 0, 0]]


def test_of_equal_values_the_diff_is_finite() -> None:
    bottom = torch.full((2, 1, 3, 4), 2.0, requires_grad=True)
    top_diff = torch.zeros(2, 1, 3, 4)
    top_diff[1, 0, 0, 0] = 12
    MVNLayer(eps=0.5)(bottom)[0].backward(top_diff)
    assert bottom.grad is not None
    assert bottom.grad[0].unique().tolist() == [0]
    assert bottom.grad[1].unique().tolist() == [-2, 22]


def test_a_fifth_axis_is_refused() -> None:
    with pytest.raises(LayerError, match="at most 4 axes, got 2×3×4×5×6"):
        MVNLayer().top_shapes((2, 3, 4, 5, 6))
