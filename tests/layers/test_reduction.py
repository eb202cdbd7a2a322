from typing import Any

import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.reduction import ReductionLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "reduction_all": {},
    "reduction_asum": {"operation": "ASUM", "axis": 1, "coeff": 0.7},
    "reduction_mean": {"operation": "MEAN", "axis": 1, "coeff": 0.7},
    "reduction_sumsq": {"operation": "SUMSQ", "axis": 1, "coeff": 0.7},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ReductionLayer(**CASES[name]))


@pytest.mark.parametrize("operation", ["SUM", "ASUM", "SUMSQ", "MEAN"])
def test_gradients_from_a_negative_axis(check_gradients: CheckGradients, operation: str) -> None:
    check_gradients(ReductionLayer(operation=operation, axis=-2, coeff=-3), (2, 3, 4))


def test_an_axis_beyond_the_bottom_is_refused() -> None:
    with pytest.raises(LayerError, match="axis 2 is out of range for a bottom of 2 axes"):
        ReductionLayer(axis=2).top_shapes((2, 3))
