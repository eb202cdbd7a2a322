"""Every layer type has an ONNX form, or a reason for having none."""

from __future__ import annotations

import pytest
import torch

from recaffe.layers.base.layer import Layer, LayerError
from recaffe.layers.base.registry import registered
from recaffe.layers.relu import ReLULayer
from recaffe.prototxt.export.onnx.converters import REFUSED, converted, converter_of, converts
from recaffe.prototxt.net.build import NetError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

from .conftest import inputs, layer, model_of


def test_every_type_converts_or_says_why_not() -> None:
    forms = {cls.type for cls in converted()}
    assert forms.isdisjoint(REFUSED)
    assert forms | REFUSED.keys() | {"Input"} == registered().keys()


def test_refusals_name_the_layer_and_the_way_out() -> None:
    net = Net(read_net(inputs(x=(2, 3), l=(2,)) + layer("SoftmaxWithLoss", "", "x l", "loss", "cost")))
    line = r"^<text>:3: layer 'cost' \(SoftmaxWithLoss\): has no ONNX form; it needs labels: port the TEST net$"
    with pytest.raises(NetError, match=line):
        model_of(net)


def test_an_unknown_class_is_refused() -> None:
    class Own(Layer):
        type = "mine.Own"

    with pytest.raises(
        LayerError, match=r"^has no ONNX form; recaffe does not know what it computes: cut the net before"
    ):
        converter_of(Own())


def test_two_converters_of_one_class_are_refused() -> None:
    converted()
    with pytest.raises(LayerError, match=r"^ReLULayer has a converter already$"):
        converts(ReLULayer)(lambda layer, to, x: x)


def test_params_without_values_are_refused() -> None:
    net = Net(read_net(inputs(x=(2, 3)) + layer("InnerProduct", "inner_product_param { num_output: 2 }")))
    assert net.steps[1].layer.params[0].is_meta
    with pytest.raises(NetError, match=r"'op' .* param 0 has no values yet: load weights, or fill the net"):
        model_of(net)
    net.fill({("op", 0): torch.ones(2, 3)})
    model_of(net)
