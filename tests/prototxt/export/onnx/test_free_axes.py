"""An input's axis is free where every layer takes another length."""

from __future__ import annotations

import pytest

from recaffe.prototxt.export.onnx.free_axes import Lengths, lengths_of
from recaffe.prototxt.net.net import Net

from .conftest import inputs, layer

CONV = "convolution_param { num_output: 2 kernel_size: 3 stride: 2 }"


def lengths(text: str) -> Lengths:
    net = Net.from_prototxt(text)
    return lengths_of(net.parts, net.inputs)[1]


def test_a_convolution_takes_any_plane() -> None:
    found = lengths(inputs(data=(1, 3, 20, 30)) + layer("Convolution", CONV, "data"))
    assert found.inputs == {"data": ["data_n", 3, "data_h", "data_w"]}
    assert found.blobs["y"] == [None, 2, None, None]


def test_an_inner_product_fixes_the_plane() -> None:
    text = inputs(x=(1, 3, 20, 30)) + layer("Convolution", CONV, "x", "c")
    found = lengths(text + layer("InnerProduct", "inner_product_param { num_output: 4 }", "c", "y", "fc"))
    assert found.inputs == {"x": ["x_n", 3, 20, 30]}
    assert found.blobs == {"x": [None, 3, 20, 30], "c": [None, 2, 9, 14], "y": [None, 4]}


def test_axes_that_must_agree_share_a_name() -> None:
    found = lengths(inputs(x=(2, 3, 5), z=(2, 3, 5)) + layer("Eltwise", "", "x z"))
    assert found.inputs == {"x": ["x_0", 3, "x_2"], "z": ["x_0", 3, "x_2"]}


def test_axes_that_must_grow_together_have_their_own_names() -> None:
    found = lengths(inputs(x=(2, 3, 8, 9), r=(2, 3, 5, 4)) + layer("Crop", "", "x r"))
    assert found.inputs == {"x": ["x_n", 3, "x_h", "x_w"], "r": ["r_n", 3, "r_h", "r_w"]}


def test_proposals_take_one_picture_and_give_any_number_of_regions() -> None:
    text = inputs(p=(1, 18, 6, 9), d=(1, 36, 6, 9), i=(1, 3)) + "layer { name: 'proposal' type: 'Python'"
    text += "bottom: 'p' bottom: 'd' bottom: 'i' top: 'rois' python_param { module: 'rpn.proposal_layer' "
    text += "layer: 'ProposalLayer' param_str: \"'feat_stride': 16\" } }"
    found = lengths(text)
    assert found.inputs == {"p": [1, 18, "p_h", "p_w"], "d": [1, 36, "p_h", "p_w"], "i": [1, 3]}
    assert found.blobs["rois"] == [None, 5]


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_a_recurrent_layer_takes_any_number_of_steps(kind: str) -> None:
    text = inputs(x=(3, 2, 5), c=(3, 2)) + layer(kind, "recurrent_param { num_output: 4 }", "x c")
    assert lengths(text).inputs == {"x": ["x_0", 2, 5], "c": ["x_0", 2]}
