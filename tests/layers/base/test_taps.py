"""Tap by tap against torch's own convolutions where these reach, and by hand where not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from recaffe.layers import ConvolutionLayer, DeconvolutionLayer, LayerError
from recaffe.layers.base.taps import convolve, spread
from recaffe.layers.im2col import Im2colLayer


def grads(y: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(y, inputs, torch.arange(y.numel(), dtype=y.dtype).view(y.shape))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution(groups: int) -> None:
    x = torch.randn(2, 4, 7, 9, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(6, 4 // groups, 3, 2, dtype=torch.float64, requires_grad=True)
    want = functional.conv2d(x, weight, stride=(2, 1), dilation=(1, 3), groups=groups)
    have = convolve(x, weight, want.shape[2:], (2, 1), (1, 3), groups)
    torch.testing.assert_close(have, want)
    torch.testing.assert_close(grads(have, x, weight), grads(want, x, weight))


@pytest.mark.parametrize("groups", [1, 2])
def test_its_transpose(groups: int) -> None:
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 6 // groups, 3, 2, dtype=torch.float64, requires_grad=True)
    want = functional.conv_transpose2d(x, weight, stride=(2, 1), dilation=(1, 3), groups=groups)
    have = spread(x, weight, want.shape[2:], (2, 1), (1, 3), groups)
    torch.testing.assert_close(have, want)
    torch.testing.assert_close(grads(have, x, weight), grads(want, x, weight))


def test_a_fourth_axis_that_no_kernel_spans_is_a_batch() -> None:
    x, weight = torch.randn(2, 4, 3, 5, 4, 6), torch.randn(6, 4, 2, 3, 2, 1)
    for layer, flat in (
        (ConvolutionLayer(num_output=6, kernel_size=(2, 3, 2, 1), bias_term=False), functional.conv3d),
        (DeconvolutionLayer(num_output=6, kernel_size=(2, 3, 2, 1), bias_term=False), functional.conv_transpose3d),
    ):
        layer.setup(tuple(x.shape))
        mine = weight if flat is functional.conv3d else weight.transpose(0, 1)
        layer.params[0].data.copy_(mine)
        (y,) = layer(x)
        want = torch.stack([flat(x[..., i], mine[..., 0]) for i in range(6)], -1)
        torch.testing.assert_close(y, want)
        assert layer.top_shapes(tuple(x.shape)) == (tuple(want.shape),)


def test_a_dilation_of_0_reads_one_cell() -> None:
    x, weight = torch.randn(2, 3, 5, 7), torch.randn(4, 3, 2, 3)
    layer = ConvolutionLayer(num_output=4, kernel_size=(2, 3), dilation=(0, 1), bias_term=False)
    layer.setup((2, 3, 5, 7))
    layer.params[0].data.copy_(weight)
    torch.testing.assert_close(layer(x)[0], functional.conv2d(x, weight.sum(2, keepdim=True)))
    columns = Im2colLayer(kernel_size=(2, 3), dilation=(0, 1))
    columns.setup((2, 3, 5, 7))
    assert torch.equal(columns(x)[0][:, 0:3], columns(x)[0][:, 3:6])  # both rows of the kernel see the same


def test_a_kernel_may_hang_over_by_less_than_its_stride() -> None:
    x, weight = torch.randn(2, 3, 8, 2), torch.randn(4, 3, 5, 5)
    layer = ConvolutionLayer(num_output=4, kernel_size=(5,), pad=(1,), stride=(2,), bias_term=False)
    layer.setup((2, 3, 8, 2))
    layer.params[0].data.copy_(weight)
    framed = functional.pad(x, (1, 2, 1, 1))
    torch.testing.assert_close(layer(x)[0], functional.conv2d(framed, weight, stride=2))
    columns = Im2colLayer(kernel_size=(5,), pad=(1,), stride=(2,))
    columns.setup((2, 3, 8, 2))
    want = functional.unfold(framed, 5, stride=2).view(2, 75, 3, 1)
    torch.testing.assert_close(columns(x)[0], want)
    with pytest.raises(LayerError, match="kernel spans 5×5, the padded bottom has only 10×3"):
        layer.top_shapes((2, 3, 8, 1))
