from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.flatten import FlattenLayer

from .conftest import Replay

CASES: dict[str, dict[str, Any]] = {"flatten": {}, "flatten_axes": {"axis": 1, "end_axis": 2}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: FlattenLayer(**CASES[name]))


def test_negative_axes_count_from_the_end() -> None:
    assert FlattenLayer(axis=-3, end_axis=-2).top_shapes((2, 3, 4, 5)) == ((2, 12, 5),)


def test_the_order_of_memory_does_not_show() -> None:
    x = torch.randn(2, 3, 4, 5)
    assert torch.equal(FlattenLayer()(x.contiguous(memory_format=torch.channels_last))[0], x.flatten(1))


def test_axes_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(LayerError, match="axis 3 lies behind end_axis 1 in bottom 2×3×4×5"):
        FlattenLayer(axis=3, end_axis=1).top_shapes((2, 3, 4, 5))


def test_an_end_right_before_the_axis_adds_one() -> None:
    assert FlattenLayer(axis=1, end_axis=0).top_shapes((2, 3, 4, 5)) == ((2, 1, 3, 4, 5),)
