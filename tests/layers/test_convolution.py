from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.convolution import ConvolutionLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "conv_hw": {"num_output": 3, "kernel_h": 3, "kernel_w": 5, "pad_h": 1, "pad_w": 2, "stride_h": 1, "stride_w": 2},
    "conv_group2": {"num_output": 6, "kernel_size": (3,), "pad": (1,), "group": 2},
    "conv_dilation2": {"num_output": 3, "kernel_size": (3,), "pad": (2,), "dilation": (2,)},
    "conv_3d": {"num_output": 2, "kernel_size": (2,), "stride": (1,), "pad": (1,)},
    "conv_two_bottoms": {"num_output": 4, "kernel_size": (3,)},
    "conv_rep_kernel": {"num_output": 3, "kernel_size": (3, 1), "pad": (1, 0), "stride": (2, 1)},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: ConvolutionLayer(**CASES[name]))


def test_gradients(check_gradients: CheckGradients) -> None:
    layer = ConvolutionLayer(num_output=2, kernel_size=(2, 3), stride=(2, 1), pad=(1, 0), dilation=(1, 2), group=2)
    check_gradients(layer, (1, 4, 3, 6))


def test_axes_before_the_channels_are_the_batch() -> None:
    flat, deep, alone = (ConvolutionLayer(num_output=5, kernel_size=(2,), axis=axis) for axis in (1, 2, 0))
    flat.setup((6, 4, 7, 8))
    deep.setup((2, 3, 4, 7, 8))
    alone.setup((4, 7, 8))
    deep.load_state_dict(flat.state_dict())
    alone.load_state_dict(flat.state_dict())
    x = torch.randn(2, 3, 4, 7, 8)
    (expected,) = flat(x.flatten(0, 1))
    assert torch.equal(deep(x)[0].flatten(0, 1), expected)
    torch.testing.assert_close(alone(x[0, 1])[0], expected[1])


def test_without_spatial_axes_it_is_a_matrix_product() -> None:
    layer = ConvolutionLayer(num_output=6, group=2)
    layer.setup((3, 4))
    torch.nn.init.normal_(layer.params[0])
    assert layer.param_shapes == [(6, 2), (6,)]
    x, weight = torch.randn(3, 4), layer.params[0]
    expected = torch.cat([x[:, :2] @ weight[:3].T, x[:, 2:] @ weight[3:].T], 1)
    torch.testing.assert_close(layer(x)[0], expected)


def test_channels_last_stays() -> None:
    layer = ConvolutionLayer(num_output=8, kernel_size=(3,), pad=(1,))
    layer.setup((2, 4, 5, 6))
    (y,) = layer(torch.randn(2, 4, 5, 6).contiguous(memory_format=torch.channels_last))
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert not y.is_contiguous()


def test_multiply_adds() -> None:
    layer = ConvolutionLayer(num_output=6, kernel_size=(3,), group=2, stride=(2,))
    layer.setup((2, 4, 7, 9))
    assert layer.multiply_adds((2, 4, 7, 9)) == 2 * (3 * 4) * 6 * (2 * 3 * 3)


def test_the_size_may_change_but_not_the_channels() -> None:
    layer = ConvolutionLayer(num_output=6, kernel_size=(3,))
    layer.setup((2, 4, 7, 9))
    assert layer.top_shapes((1, 4, 5, 8)) == ((1, 6, 3, 6),)
    with pytest.raises(LayerError, match="was set up for 4 channels at axis 1, the bottom is 2×5×7×9"):
        layer(torch.zeros(2, 5, 7, 9))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel_size": (3,)}, "needs num_output"),
        ({"num_output": 4}, "kernel_size is given 0 time"),
        ({"num_output": 4, "kernel_size": (3, 3, 3)}, "kernel_size is given 3 time"),
        ({"num_output": 4, "kernel_size": (3,), "kernel_h": 3}, "either kernel_size or kernel_h and kernel_w"),
        ({"num_output": 4, "kernel_size": (3,), "pad": (1,), "pad_w": 1}, "either pad or pad_h and pad_w"),
        ({"num_output": 4, "kernel_h": 3}, r"kernel \(3, 0\)"),
        ({"num_output": 4, "kernel_size": (0,)}, "must be at least 1"),
        ({"num_output": 4, "kernel_size": (3,), "stride": (0,)}, "must be at least 1"),
        ({"num_output": 4, "kernel_size": (3,), "group": 2}, "group 2 does not divide the 3 channels"),
        ({"num_output": 4, "kernel_size": (3,), "group": 3}, "group 3 does not divide the 4 num_output"),
        ({"num_output": 4, "kernel_size": (8,)}, "kernel spans 8×8, the padded bottom has only 5×7"),
        ({"num_output": 4, "kernel_size": (3,), "dilation": (3,)}, "kernel spans 7×7"),
        ({"num_output": 4, "kernel_size": (3,), "axis": 4}, "axis 4 is out of range"),
    ],
)
def test_what_caffe_refuses_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        build(keywords, (2, 3, 5, 7))


def build(keywords: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer = ConvolutionLayer(**keywords)
    layer.setup(shape)
    layer.top_shapes(shape)


def test_counts_and_shapes_of_bottoms_must_agree() -> None:
    layer = ConvolutionLayer(num_output=4, kernel_size=(3,))
    with pytest.raises(LayerError, match="one top for each bottom"):
        layer.setup((2, 3, 5, 7), (2, 3, 5, 7), num_tops=1)
    layer.setup((2, 3, 5, 7), (2, 3, 5, 6), num_tops=2)
    with pytest.raises(LayerError, match=r"2×3×5×7 and, as bottom 1, 2×3×5×6"):
        layer.top_shapes((2, 3, 5, 7), (2, 3, 5, 6))
