"""Where diffs go, as Caffe leads them: losses that are read, frozen makers, diffs that nobody asked for."""

import numpy as np
import torch
from torch import Tensor

from recaffe.prototxt.net.net import Net


def trained_params(text: str, **blobs: np.ndarray) -> tuple[Net, dict[str, Tensor]]:
    net = Net.from_prototxt(text, "TRAIN", seed=5)
    net(blobs, keep="all")
    net.backward()
    return net, {key: param.grad for key, param in net.named_parameters() if param.grad is not None}


SCORES = """
layer { name: "x" type: "Input" top: "x" top: "t" input_param { shape { dim: 3 dim: 4 } shape { dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 5
        weight_filler { type: "xavier" } } }
"""
FED = {"x": np.linspace(-1, 1, 12).reshape(3, 4), "t": np.float32([1, 0, 4])}


def test_a_loss_that_is_read_goes_backward_once() -> None:
    """Its weight moves to the Split's top, whose backward overwrites the loss's own."""
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" loss_weight: 3 }\n'
    _, alone = trained_params(SCORES + loss, **FED)
    net, read = trained_params(SCORES + loss + 'layer { name: "s" type: "Silence" bottom: "loss" }', **FED)
    assert all(torch.equal(read[key], alone[key]) for key in alone)
    assert net.diffs["loss"] == 3


def test_a_reader_that_goes_backward_takes_the_place_of_a_losss_own_weight() -> None:
    reader = 'layer { name: "p" type: "Power" bottom: "loss" top: "y" power_param { scale: -2 } loss_weight: 0.5 }'
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    _, alone = trained_params(SCORES + loss, **FED)
    net, read = trained_params(SCORES + loss + reader, **FED)
    assert net.diffs["loss"] == -1
    for key, diff in alone.items():
        torch.testing.assert_close(read[key], -diff)
    net.zero_grad()
    net(FED)
    net.loss.backward()
    assert all(torch.equal(param.grad, read[key]) for key, param in net.named_parameters() if param.grad is not None)


def test_an_in_place_reader_of_a_loss_goes_on_with_its_weight() -> None:
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    _, alone = trained_params(SCORES + loss, **FED)
    reader = 'layer { name: "p" type: "Power" bottom: "loss" top: "loss" power_param { scale: -2 } }'
    _, read = trained_params("force_backward: true\n" + SCORES + loss + reader, **FED)
    for key, diff in alone.items():
        torch.testing.assert_close(read[key], -2 * diff)


def test_a_frozen_maker_under_a_layer_that_learns_in_place() -> None:
    """The blob has the diff that its in-place layer was given, which nothing overwrites any more."""
    frozen = SCORES.replace('top: "ip" ', 'top: "ip" param { lr_mult: 0 } param { lr_mult: 0 } ')
    scale = 'layer { name: "s" type: "Scale" bottom: "ip" top: "ip" scale_param { filler { value: 2 } } }\n'
    loss = 'layer { name: "l" type: "EuclideanLoss" bottom: "ip" bottom: "x2" top: "loss" }\n'
    fed = 'layer { name: "x2" type: "Input" top: "x2" input_param { shape { dim: 3 dim: 5 } } }\n'
    net, _ = trained_params(frozen + fed + scale + loss, x2=np.ones((3, 5)), **FED)
    torch.testing.assert_close(net.diffs["ip"], (net.blobs["ip"] - 1) / 3)


def test_a_layer_that_writes_its_bottoms_diff_unasked() -> None:
    softmax = 'layer { name: "s" type: "Softmax" bottom: "ip" top: "s" propagate_down: false }\n'
    loss = 'layer { name: "l" type: "EuclideanLoss" bottom: "s" bottom: "x2" top: "loss" }\n'
    fed = 'layer { name: "x2" type: "Input" top: "x2" input_param { shape { dim: 3 dim: 5 } } }\n'
    net, diffs = trained_params(SCORES + fed + softmax + loss, x2=np.ones((3, 5)), **FED)
    assert net.diffs["ip"].abs().max() > 0
    assert diffs == {}  # it goes no further


def test_a_diff_handed_in_where_nothing_needs_one() -> None:
    text = SCORES + 'layer { name: "sl" type: "Slice" bottom: "ip" top: "a" top: "b" slice_param { slice_point: 2 } }\n'
    text += 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    net, alone = trained_params(text, **FED)
    net.zero_grad()
    net(FED, keep="all")
    net.backward({"a": np.ones((3, 2), np.float32)})
    assert all(torch.equal(param.grad, alone[key]) for key, param in net.named_parameters() if param.grad is not None)
