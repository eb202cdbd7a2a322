from typing import Any

import pytest
import torch

from recaffe.layers.argmax import ArgMaxLayer
from recaffe.layers.base.layer import LayerError

from .conftest import Replay

CASES: dict[str, dict[str, Any]] = {
    "argmax": {},
    "argmax_axis": {"axis": 1},
    "argmax_ties": {"axis": 1, "top_k": 3},
    "argmax_ties_items": {"top_k": 6, "out_max_val": True},
    "argmax_topk_val": {"top_k": 3, "out_max_val": True},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ArgMaxLayer(**CASES[name]))


@pytest.mark.parametrize("top_k", [1, 3])
def test_of_equal_values_the_last_comes_first(top_k: int) -> None:
    (top,) = ArgMaxLayer(top_k=top_k, axis=0)(torch.tensor([1.0, 5.0, 0.0, 5.0, 5.0]))
    assert top.tolist() == [4, 3, 1][:top_k]


def test_along_an_axis_there_are_places_or_values() -> None:
    bottom = torch.tensor([[[1.0, 9.0], [5.0, 7.0], [3.0, 8.0]]])
    (places,) = ArgMaxLayer(top_k=2, axis=-2)(bottom)
    (values,) = ArgMaxLayer(top_k=2, axis=-2, out_max_val=True)(bottom)
    assert places.tolist() == [[[1, 0], [2, 2]]]
    assert values.tolist() == [[[5, 9], [3, 8]]]


@pytest.mark.parametrize(
    ("bottom", "top"),
    [((2,), (2, 2, 1)), ((2, 3), (2, 2, 1)), ((2, 3, 4), (2, 2, 1)), ((2, 3, 4, 5, 6), (2, 2, 1, 1, 1))],
)
def test_without_an_axis_the_top_has_at_least_three(bottom: tuple[int, ...], top: tuple[int, ...]) -> None:
    assert ArgMaxLayer(out_max_val=True).top_shapes(bottom) == (top,)


def test_places_are_exact_and_values_are_not() -> None:
    assert ArgMaxLayer().discrete == {0}
    assert ArgMaxLayer(out_max_val=True).discrete == frozenset()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"top_k": 0}, "top_k of at least 1, got 0"),
        ({"top_k": 13}, "top_k 13 is more than the length of axis 1 of 2×12"),
        ({"top_k": 4, "axis": 1}, "top_k 4 is more than the length of axis 1 of 2×3×4"),
        ({"axis": 3}, "axis 3 is out of range"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        ArgMaxLayer(**keywords).top_shapes((2, 3, 4))
