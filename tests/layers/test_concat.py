from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.concat import ConcatLayer

from .conftest import Replay

CASES: dict[str, dict[str, Any]] = {
    "concat_c": {},
    "concat_dim_legacy": {"concat_dim": 0},
    "concat_neg_axis": {"axis": -1},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ConcatLayer(**CASES[name]))


def test_other_axes_must_agree() -> None:
    with pytest.raises(LayerError, match=r"along axis 1 alone, got 2×3×4 and, as bottom 1, 2×3×5"):
        ConcatLayer().top_shapes((2, 3, 4), (2, 3, 5))
    with pytest.raises(LayerError, match="as bottom 1, 2×3"):
        ConcatLayer().top_shapes((2, 3, 4), (2, 3))


def test_both_names_of_the_axis_are_refused() -> None:
    with pytest.raises(LayerError, match="either axis or its older name concat_dim"):
        ConcatLayer(axis=2, concat_dim=3)


def test_channels_last_stays() -> None:
    halves = [torch.randn(2, c, 4, 5).contiguous(memory_format=torch.channels_last) for c in (3, 6)]
    assert ConcatLayer()(*halves)[0].is_contiguous(memory_format=torch.channels_last)
