"""The rule that makes params and image from seeds, beside numbers that the fixtures' own tool drew."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.recipe import make_image, make_params

LAYERS = [
    ["conv1", "Convolution", [[5, 3, 2, 4], [5]]],
    ["bn1", "BatchNorm", [[5], [5], [1]]],
    ["scale1", "Scale", [[5], [5]]],
    ["rpn_cls_score", "Convolution", [[4, 5, 1, 1], [4]]],
    ["rpn_bbox_pred", "Convolution", [[8, 5, 1, 1], [8]]],
    ["rfcn_cls", "Convolution", [[6, 5, 1, 1], [6]]],
    ["rfcn_bbox", "Convolution", [[7, 5, 1, 1], [7]]],
    ["cls_score", "InnerProduct", [[3, 10], [3]]],
    ["bbox_pred", "InnerProduct", [[12, 10], [12]]],
    ["tail", "PReLU", [[5]]],
]
SUMS = {
    ("conv1", 0): 1.4167934013530612,
    ("conv1", 1): -0.8474571704864502,
    ("bn1", 0): 0.7487517250701785,
    ("bn1", 1): 4.1948312520980835,
    ("bn1", 2): 1.0,
    ("scale1", 0): 2.7468745410442352,
    ("scale1", 1): 0.805863568559289,
    ("rpn_cls_score", 0): -0.010534275571444596,
    ("rpn_cls_score", 1): 1.0340902544558048,
    ("rpn_bbox_pred", 0): -0.00850635130336741,
    ("rpn_bbox_pred", 1): -0.07564121298491955,
    ("rfcn_cls", 0): 0.152903750538826,
    ("rfcn_cls", 1): -0.02353191375732422,
    ("rfcn_bbox", 0): -0.5884480376262218,
    ("rfcn_bbox", 1): 0.030963614117354155,
    ("cls_score", 0): -0.036508164019323885,
    ("cls_score", 1): -0.22857849299907684,
    ("bbox_pred", 0): 6.054180448700208e-05,
    ("bbox_pred", 1): 0.06135231303051114,
    ("tail", 0): -4.2377142906188965,
}


def test_params() -> None:
    params = make_params(json.dumps(LAYERS), 11, 7)
    assert {place: values.dtype for place, values in params.items()} == dict.fromkeys(SUMS, np.dtype(np.float32))
    assert params["bbox_pred", 0].shape == (12, 10)
    assert {place: float(values.sum(dtype=np.float64)) for place, values in params.items()} == pytest.approx(SUMS)
    assert params["conv1", 0].flat[0] == pytest.approx(0.5050241)


def test_image() -> None:
    image = make_image(13, 70, 37)
    assert (image.shape, image.dtype) == ((1, 3, 70, 37), np.float32)
    assert image[0, [0, 0, 1, 2], [0, 0, 65, 69], [0, 1, 30, 36]] == pytest.approx(
        [8.54439, 12.569015, 48.380493, 16.585072]
    )
    assert float(image.sum(dtype=np.float64)) == pytest.approx(96379.28196686087)


@pytest.mark.parametrize("listing", ["{", "3", '[["conv1", "Convolution"]]', '[["a", "b", [["x"]]]]'])
def test_a_listing_that_is_none(listing: str) -> None:
    with pytest.raises(GoldenError, match=r"^key 'params' is not a JSON list of"):
        make_params(listing, 1, 2)
