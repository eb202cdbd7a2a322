from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.eltwise import EltwiseLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "eltwise_max": {"operation": "MAX"},
    "eltwise_prod": {"operation": "PROD"},
    "eltwise_sum_coeff": {"coeff": (0.5, -2.0)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: EltwiseLayer(**CASES[name]))


@pytest.mark.parametrize("operation", ["SUM", "PROD", "MAX"])
def test_gradients_of_three_bottoms(check_gradients: CheckGradients, operation: str) -> None:
    check_gradients(EltwiseLayer(operation=operation), (2, 3, 4), (2, 3, 4), (2, 3, 4))


def test_of_equal_maxima_one_gets_the_diff() -> None:
    bottoms = [torch.tensor(values, requires_grad=True) for values in ([1.0, 5.0], [1.0, 4.0], [1.0, 5.0])]
    EltwiseLayer(operation="MAX")(*bottoms)[0].sum().backward()
    assert [b.grad.tolist() for b in bottoms if b.grad is not None] == [[0, 1], [1, 0], [0, 0]]


def test_shapes_are_not_stretched() -> None:
    with pytest.raises(LayerError, match=r"2×3×5×5 and, as bottom 1, 2×3×5×1"):
        EltwiseLayer().top_shapes((2, 3, 5, 5), (2, 3, 5, 1))


def test_coefficients_must_suit() -> None:
    with pytest.raises(LayerError, match="takes coeff for SUM, not for PROD"):
        EltwiseLayer(operation="PROD", coeff=(1.0, 2.0))
    with pytest.raises(LayerError, match="one coeff for each of its 2 bottoms, got 3"):
        EltwiseLayer(coeff=(1.0, 2.0, 3.0)).setup((2, 3), (2, 3))
    with pytest.raises(LayerError, match=r"at least 2 bottom blob\(s\), got 1"):
        EltwiseLayer().setup((2, 3))
