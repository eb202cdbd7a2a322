from typing import Any

import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.slice import SliceLayer

from .conftest import Replay

CASES: dict[str, dict[str, Any]] = {"slice_equal": {"slice_dim": 0}, "slice_points": {"slice_point": (1, 4)}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: SliceLayer(**CASES[name]))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, "cannot cut axis 1 of bottom 2×3×4 into 2 equal tops"),
        ({"slice_point": (1, 2)}, "needs one slice_point less than its 2 tops, got 2"),
        ({"slice_point": (3,)}, r"slice_point \(3,\) must rise within axis 1 of bottom 2×3×4"),
        ({"axis": 3}, "axis 3 is out of range"),
        ({"axis": 2, "slice_dim": 0}, "either axis or its older name slice_dim"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        build(keywords, (2, 3, 4))


def build(keywords: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer = SliceLayer(**keywords)
    layer.setup(shape, num_tops=2)
    layer.top_shapes(shape)


def test_one_top_is_the_whole() -> None:
    layer = SliceLayer()
    layer.setup((2, 3, 4))
    assert layer.top_shapes((2, 3, 4)) == ((2, 3, 4),)
