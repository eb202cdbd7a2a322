from typing import Any

import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import LayerError
from recaffe.layers.bias import BiasLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {"bias_bottom": {}, "bias_param": {"filler": Filler("gaussian", std=1)}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: BiasLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(BiasLayer(axis=-2, num_axes=-1), (2, 3, 4))


def test_it_starts_as_zero() -> None:
    layer = BiasLayer(num_axes=2)
    layer.setup((2, 3, 4))
    assert torch.equal(layer.params[0], torch.zeros(3, 4))


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({"axis": 3}, [(2, 3, 4)], "axis 3 is out of range for a bottom of 3 axes"),
        ({"axis": 2, "num_axes": 2}, [(2, 3, 4)], "num_axes 2 from axis 2 reaches beyond the bottom 2×3×4"),
        ({}, [(2, 3, 4), (4,)], "4 does not meet the bottom 2×3×4 from axis 1 on"),
    ],
)
def test_what_does_not_fit_is_refused(keywords: dict[str, int], shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        build(BiasLayer(**keywords), *shapes)


def build(layer: BiasLayer, *shapes: tuple[int, ...]) -> None:
    layer.setup(*shapes)
    layer.top_shapes(*shapes)
