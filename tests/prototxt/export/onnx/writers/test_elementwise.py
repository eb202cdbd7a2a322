"""Layers that treat every number by itself give the same in ONNX."""

from __future__ import annotations

import pytest
import torch

from recaffe.prototxt.export.refusals import ExportError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

from ..conftest import Agree, inputs, layer, model_of, random_net

SHAPES = ({"x": (2, 3, 5, 4)}, {"x": (1, 3, 7, 2)}, {"x": (0, 3, 5, 4)})


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        *((kind, "") for kind in ("AbsVal", "BNLL", "Sigmoid", "TanH", "ReLU", "ELU", "PReLU", "Swish", "Dropout")),
        ("ReLU", "relu_param { negative_slope: 0.1 }"),
        ("PReLU", "prelu_param { channel_shared: true }"),
        ("ELU", "elu_param { alpha: 0.3 }"),
        ("Power", "power_param { power: 2 scale: -0.7 shift: 0.2 }"),
        ("Power", "power_param { power: 3 }"),
        ("Power", "power_param { scale: 0 shift: 4 }"),
        ("Power", "power_param { power: 0.5 scale: 0.01 shift: 2 }"),
        ("Exp", "exp_param { base: 3 scale: 0.4 shift: 0.5 }"),
        ("Exp", ""),
        ("Log", "log_param { base: 2 scale: 0.1 shift: 3 }"),
        ("Clip", "clip_param { min: -0.4 max: 0.3 }"),
        ("Clip", "clip_param { min: 0.4 max: -0.3 }"),
        ("Swish", "swish_param { beta: 1.7 }"),
        ("Threshold", "threshold_param { threshold: 0.2 }"),
        ("Dropout", "dropout_param { dropout_ratio: 0.3 scale_train: false }"),
    ],
)
def test_one_bottom(kind: str, fields: str, agree: Agree) -> None:
    agree(inputs(x=(2, 3, 5, 4)) + layer(kind, fields), *SHAPES)


def test_a_value_at_the_threshold_is_not_above(agree: Agree) -> None:
    text = inputs(x=(3,)) + layer("Threshold", "threshold_param { threshold: 0.2 }")
    agree(text, {"x": torch.tensor([0.2, 0.20000002, 0.19999999])})


@pytest.mark.parametrize("fields", ["", "coeff: 2 coeff: -1 coeff: 0.5", "operation: PROD", "operation: MAX"])
def test_eltwise(fields: str, agree: Agree) -> None:
    text = inputs(x=(2, 3, 4), z=(2, 3, 4), w=(2, 3, 4)) + layer("Eltwise", f"eltwise_param {{ {fields} }}", "x z w")
    agree(text, dict.fromkeys("xzw", (2, 3, 4)), dict.fromkeys("xzw", (5, 3, 2)))


def test_dropout_in_train_is_refused() -> None:
    net = Net(read_net(inputs(x=(2, 3)) + layer("Dropout")), "TRAIN")
    with pytest.raises(
        ExportError,
        match=r"<text>:2: layer 'op' \(Dropout\): cannot be written as ONNX: it draws at random in",
    ):
        model_of(net)


def test_in_place_chains_keep_the_blobs_name_for_the_last(agree: Agree) -> None:
    text = inputs(x=(2, 3)) + layer("TanH") + layer("ReLU", "", "y", "y", "relu") + layer("Exp", "", "y", "y", "exp")
    graph = agree(text + layer("AbsVal", "", "y", "z", "abs"), {"x": (2, 3)}, {"x": (5, 3)}).graph
    assert [list(node.output) for node in graph.node] == [["y@op"], ["y@relu"], ["y"], ["z"]]
    assert [node.name for node in graph.node] == ["op", "relu", "exp", "abs"]


def test_an_input_that_is_overwritten_keeps_its_name(agree: Agree) -> None:
    text = inputs(x=(2, 3)) + layer("Power", "power_param { shift: 1 }", "x", "x", "up") + layer("TanH")
    graph = agree(random_net(text), {"x": (2, 3)}, {"x": (5, 3)}).graph
    assert [(info.name, info.doc_string) for info in graph.value_info] == [("x@up", "x")]
    assert [info.name for info in graph.input] == ["x"]
