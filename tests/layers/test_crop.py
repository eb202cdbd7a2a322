from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.crop import CropLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "crop": {"offset": (1, 2)},
    "crop_axis1": {"axis": 1, "offset": (1,)},
    "crop_each_axis": {"axis": 0, "offset": (1, 2, 0, 1)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: CropLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(CropLayer(axis=1, offset=(1, 0, 2)), (2, 4, 5, 7), torch.zeros(9, 3, 5, 2))


@pytest.mark.parametrize(
    ("keywords", "shape"),
    [
        ({}, (2, 3, 4, 5)),
        ({"axis": -1}, (2, 3, 6, 5)),
        ({"axis": 0, "offset": (0,)}, (1, 2, 4, 5)),
        ({"axis": 3, "offset": (2,)}, (2, 3, 6, 5)),
    ],
)
def test_axes_before_the_first_cropped_one_stay(keywords: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert CropLayer(**keywords).top_shapes((2, 3, 6, 7), (1, 2, 4, 5)) == (shape,)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(2, 3, 4, 5), (1, 1, 6, 5)], "cannot cut 6 from 0 on out of axis 2 of bottom 2×3×4×5"),
        ({"offset": (1,)}, [(2, 3, 4, 5), (1, 1, 3, 5)], "cannot cut 5 from 1 on out of axis 3"),
        ({"offset": (1, 2, 3)}, [(2, 3, 4, 5), (1, 1, 2, 2)], "one for each of 2 cropped axes, got 3"),
        ({"axis": 4}, [(2, 3, 4, 5), (1, 1, 2, 2)], "axis 4 is out of range"),
        ({}, [(2, 3, 4, 5), (1, 1, 2)], "a reference with all axes of the bottom 2×3×4×5, got 1×1×2"),
    ],
)
def test_what_does_not_fit_is_refused(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        CropLayer(**keywords).top_shapes(*shapes)
