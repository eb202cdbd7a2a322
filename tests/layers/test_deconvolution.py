from typing import Any

import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import LayerError, Shape
from recaffe.layers.convolution import ConvolutionLayer
from recaffe.layers.deconvolution import DeconvolutionLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "deconv_bilinear": {
        "num_output": 3,
        "group": 3,
        "kernel_size": (4,),
        "stride": (2,),
        "pad": (1,),
        "bias_term": False,
        "weight_filler": Filler("bilinear"),
    },
    "deconv_dilated": {"num_output": 2, "kernel_size": (3,), "dilation": (2,)},
    "deconv_group": {
        "num_output": 4,
        "kernel_size": (4,),
        "stride": (2,),
        "pad": (1,),
        "group": 4,
        "bias_term": False,
    },
    "deconv_3d": {
        "num_output": 6,
        "group": 2,
        "kernel_size": (3, 2, 1),
        "stride": (2,),
        "pad": (1, 0, 0),
    },
    "deconv_k4s2p1": {"num_output": 3, "kernel_size": (4,), "stride": (2,), "pad": (1,)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: DeconvolutionLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    layer = DeconvolutionLayer(num_output=6, kernel_size=(2, 3), stride=(2, 1), pad=(1, 0), dilation=(1, 2), group=2)
    check_gradients(layer, (1, 4, 3, 5))


@pytest.mark.parametrize("size", [(5,), (5, 6), (3, 4, 5), ()])
def test_it_is_the_backward_of_a_convolution(size: Shape) -> None:
    fields: dict[str, Any] = {"stride": (2,), "pad": (1,), "kernel_size": (3,), "bias_term": False, "group": 2}
    deconvolution = DeconvolutionLayer(num_output=6, **fields)
    deconvolution.setup((2, 4, *size))
    x = torch.randn(2, 4, *size)
    (y,) = deconvolution(x)
    assert deconvolution.top_shapes(tuple(x.shape)) == (tuple(y.shape),)
    convolution = ConvolutionLayer(num_output=4, **fields)
    convolution.setup(tuple(y.shape))
    assert convolution.param_shapes == deconvolution.param_shapes == [(4, 3, *(3 for _ in size))]
    for layer in (convolution, deconvolution):
        layer.load_state_dict({"0": torch.ones(4, 3, *(3 for _ in size)).cumsum(0)})
    image = torch.zeros_like(y).requires_grad_()
    convolution(image)[0].backward(x)
    assert image.grad is not None
    torch.testing.assert_close(deconvolution(x)[0], image.grad)


def test_a_bilinear_filter_enlarges_a_ramp() -> None:
    layer = DeconvolutionLayer(
        num_output=2, group=2, kernel_size=(4,), stride=(2,), pad=(1,), weight_filler=Filler("bilinear")
    )
    layer.setup((1, 2, 5, 6))
    (y,) = layer(torch.arange(6.0).expand(1, 2, 5, 6))
    torch.testing.assert_close(y[0, 1, 4, 2:-2], torch.arange(0.75, 4.5, 0.5))


def test_axes_before_the_channels_are_the_batch() -> None:
    flat, deep = (DeconvolutionLayer(num_output=5, kernel_size=(2,), axis=axis) for axis in (1, 2))
    flat.setup((6, 4, 7, 8))
    deep.setup((2, 3, 4, 7, 8))
    torch.nn.init.normal_(flat.params[0])
    deep.load_state_dict(flat.state_dict())
    x = torch.randn(2, 3, 4, 7, 8)
    assert torch.equal(deep(x)[0].flatten(0, 1), flat(x.flatten(0, 1))[0])


def test_multiply_adds() -> None:
    layer = DeconvolutionLayer(num_output=6, kernel_size=(3,), group=2, stride=(2,))
    layer.setup((2, 4, 7, 9))
    assert layer.multiply_adds((2, 4, 7, 9)) == 2 * (7 * 9) * 4 * (3 * 3 * 3)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel_size": (3,)}, "needs num_output"),
        ({"num_output": 4}, "kernel_size is given 0 time"),
        ({"num_output": 4, "kernel_size": (3,), "group": 2}, "group 2 does not divide the 3 channels"),
        ({"num_output": 4, "kernel_size": (3,), "group": 3}, "group 3 does not divide the 4 num_output"),
        ({"num_output": 4, "kernel_size": (1,), "pad": (3,)}, r"pad 3×3 leaves nothing .* \(-1, 1\)"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], message: str) -> None:
    layer = DeconvolutionLayer(**keywords)
    with pytest.raises(LayerError, match=message):
        build(layer, (2, 3, 5, 7))


def build(layer: DeconvolutionLayer, shape: Shape) -> None:
    layer.setup(shape)
    layer.top_shapes(shape)


def test_the_channels_are_fixed() -> None:
    layer = DeconvolutionLayer(num_output=6, kernel_size=(3,))
    layer.setup((2, 4, 7, 9))
    assert layer.top_shapes((1, 4, 5, 8)) == ((1, 6, 7, 10),)
    with pytest.raises(LayerError, match="was set up for 4 channels at axis 1, the bottom is 2×5×7×9"):
        layer(torch.zeros(2, 5, 7, 9))
