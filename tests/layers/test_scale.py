from typing import Any

import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import LayerError
from recaffe.layers.scale import ScaleLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "scale_axis0_two": {"axis": 0, "num_axes": 2},
    "scale_bottom": {"axis": 0},
    "scale_param": {"bias_term": True},
    "scale_scalar": {"num_axes": 0, "bias_term": True},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ScaleLayer(**CASES[name]))


def test_gradients_of_a_factor_from_below_with_a_bias(check_gradients: CheckGradients) -> None:
    check_gradients(ScaleLayer(bias_term=True), (2, 3, 4, 5), (3, 4))


def test_it_starts_as_one_unless_a_filler_says_otherwise() -> None:
    for keywords, start in (({}, 1), ({"filler": Filler()}, 0)):
        layer = ScaleLayer(**keywords)
        layer.setup((2, 3))
        assert torch.equal(layer.params[0], torch.full((3,), float(start)))


def test_a_factor_that_does_not_meet_the_bottom_is_refused() -> None:
    layer = ScaleLayer()
    layer.setup((2, 3, 4), (3,))
    with pytest.raises(LayerError, match="4 does not meet the bottom 2×3×4 from axis 1 on"):
        layer.top_shapes((2, 3, 4), (4,))
