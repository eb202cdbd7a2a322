from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError, Shape
from recaffe.layers.reshape import ReshapeLayer

from .conftest import Replay

CASES: dict[str, dict[str, Any]] = {
    "reshape_axis": {"axis": 1, "num_axes": 2, "shape": (-1,)},
    "reshape_insert": {"axis": -1, "num_axes": 0, "shape": (1,)},
    "reshape_rpn": {"shape": (0, 2, -1, 0)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ReshapeLayer(**CASES[name]))


@pytest.mark.parametrize(
    ("keywords", "top"),
    [
        ({"shape": (0, -1)}, (2, 60)),
        ({"shape": (3, 8, 5)}, (3, 8, 5)),
        ({"shape": (5, 2, 2), "axis": -3, "num_axes": 2}, (2, 3, 5, 2, 2)),
        ({"shape": (12,), "axis": 1, "num_axes": 2}, (2, 12, 5)),
        ({"shape": (1, 1), "axis": 0, "num_axes": 0}, (1, 1, 2, 3, 4, 5)),
    ],
)
def test_shapes(keywords: dict[str, Any], top: Shape) -> None:
    assert ReshapeLayer(**keywords).top_shapes((2, 3, 4, 5)) == (top,)


def test_the_order_of_memory_does_not_show() -> None:
    x = torch.randn(2, 3, 4, 5)
    layer = ReshapeLayer(shape=(0, -1))
    assert torch.equal(layer(x.contiguous(memory_format=torch.channels_last))[0], x.flatten(1))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"shape": (-1, -1)}, "may hold -1 once"),
        ({"shape": (4, 4)}, "cannot read the 120 numbers of bottom 2×3×4×5 as 4×4"),
        ({"shape": (-1, 7)}, "cannot read the 120 numbers"),
        ({"shape": (0, 0, 0, 0, 0)}, "copies an axis that bottom 2×3×4×5 lacks"),
        ({"shape": (1,), "axis": 5}, "reach beyond the bottom"),
        ({"shape": (1,), "axis": 3, "num_axes": 2}, "reach beyond the bottom"),
        ({"shape": (1,), "num_axes": -2}, "reach beyond the bottom"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        ReshapeLayer(**keywords).top_shapes((2, 3, 4, 5))
