from typing import Any

import pytest
import torch
from torch.nn import functional

from recaffe.layers.base.layer import LayerError, Shape
from recaffe.layers.convolution import ConvolutionLayer
from recaffe.layers.im2col import Im2colLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "im2col": {"kernel_size": (3,), "pad": (1,), "stride": (2,)},
    "im2col_3d": {"axis": 2, "kernel_size": (3, 2), "dilation": (1, 3), "pad": (1,), "stride": (2, 1)},
    "im2col_dilated": {"kernel_size": (3,), "dilation": (2,)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: Im2colLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(Im2colLayer(kernel_h=2, kernel_w=3, pad_h=0, pad_w=2, stride=(2, 1)), (2, 3, 5, 4))


def test_columns_are_those_of_torch() -> None:
    x = torch.randn(2, 3, 7, 9)
    layer = Im2colLayer(kernel_size=(3, 2), pad=(1, 0), stride=(2, 1), dilation=(1, 3))
    layer.setup((2, 3, 7, 9))
    (y,) = layer(x)
    assert y.shape == (2, 18, 4, 6)
    assert torch.equal(y.flatten(2), functional.unfold(x, (3, 2), (1, 3), (1, 0), (2, 1)))


@pytest.mark.parametrize(
    ("shape", "axis"), [((2, 3, 7), 1), ((2, 3, 4, 5, 6), 1), ((2, 4, 3, 7, 5), 2), ((3, 7, 5), 0)]
)
def test_a_product_with_the_columns_is_a_convolution(shape: Shape, axis: int) -> None:
    fields: dict[str, Any] = {"kernel_size": (3,), "pad": (1,), "stride": (2,), "axis": axis}
    layer, convolution = Im2colLayer(**fields), ConvolutionLayer(num_output=5, bias_term=False, **fields)
    for each in (layer, convolution):
        each.setup(shape)
    weight = torch.randn_like(convolution.params[0])
    convolution.load_state_dict({"0": weight})
    x = torch.randn(shape)
    (columns,) = layer(x)
    assert layer.top_shapes(shape) == (tuple(columns.shape),)
    expected = torch.tensordot(columns.movedim(axis, -1), weight.flatten(1).t(), 1).movedim(-1, axis)
    torch.testing.assert_close(convolution(x)[0], expected)


@pytest.mark.parametrize(
    ("keywords", "shape", "message"),
    [
        ({}, (2, 3, 5, 7), "kernel_size is given 0 time"),
        ({"kernel_size": (0,)}, (2, 3, 5, 7), "must be at least 1"),
        ({"kernel_size": (6,)}, (2, 3, 5, 7), "kernel spans 6×6, the padded bottom has only 5×7"),
        ({"kernel_h": 2, "kernel_w": 2}, (2, 3, 5), "kernel_size is given 2 time"),
        ({"kernel_size": (1,)}, (2, 3), "needs a spatial axis after the channels at axis 1, got 2×3"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], shape: Shape, message: str) -> None:
    layer = Im2colLayer(**keywords)
    with pytest.raises(LayerError, match=message):
        build(layer, shape)


def build(layer: Im2colLayer, shape: Shape) -> None:
    layer.setup(shape)
    layer.top_shapes(shape)
