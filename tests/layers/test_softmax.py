from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.softmax import SoftmaxLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {"softmax_axis2": {"axis": 2}, "softmax_rpn": {}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: SoftmaxLayer(**CASES[name]))


def test_gradients_along_a_negative_axis(check_gradients: CheckGradients) -> None:
    check_gradients(SoftmaxLayer(axis=-2), (2, 3, 4))


def test_large_scores_do_not_overflow() -> None:
    assert SoftmaxLayer()(torch.tensor([[1e4, 1e4]]))[0].tolist() == [[0.5, 0.5]]


def test_an_axis_beyond_the_bottom_is_refused() -> None:
    with pytest.raises(LayerError, match="axis 1 is out of range for a bottom of 1 axes"):
        SoftmaxLayer().top_shapes((5,))
