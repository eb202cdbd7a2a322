"""The model as a whole: names, outputs, bytes, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest
import torch

from recaffe.golden.proof.onnx_run import OnnxRun
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.onnx import drawing
from recaffe.prototxt.export.onnx.drawing import onnx_model, write_onnx
from recaffe.prototxt.net.fold import fold
from recaffe.prototxt.net.net import Net

from .conftest import Agree, inputs, layer, model_of, random_net

CONV = "convolution_param { num_output: 3 kernel_size: 1 }"


def test_weights_go_by_layer_and_index() -> None:
    text = inputs(x=(1, 2, 5, 6)) + layer("Convolution", CONV, tops="c", name="conv/1")
    model = model_of(random_net(text + layer("PReLU", "", "c", "c", "slope")))
    assert [array.name for array in model.graph.initializer] == ["conv/1/0", "conv/1/1", "slope/0"]
    assert [(node.name, list(node.input)) for node in model.graph.node] == [
        ("conv/1", ["x", "conv/1/0", "conv/1/1"]),
        ("slope", ["c@conv/1", "slope/0"]),
    ]


def test_shared_params_are_one_array() -> None:
    fields = CONV + " param { name: 'w' } param { name: 'b' }"
    text = inputs(x=(1, 3, 5, 6)) + layer("Convolution", fields, tops="y", name="a")
    model = model_of(random_net(text + layer("Convolution", fields, "y", "z", "b")))
    assert [array.name for array in model.graph.initializer] == ["a/0", "a/1"]


def test_names_that_clash_are_numbered(agree: Agree) -> None:
    text = (
        inputs(x=(2, 3))
        + layer("TanH", "", "x", "a/0", "a")
        + layer("Power", "power_param { shift: 2 }", "a/0", "p", "a")
    )
    text += layer("InnerProduct", "inner_product_param { num_output: 3 }", "p", "y", "a")
    model = agree(text, {"x": (2, 3)})
    assert [node.name for node in model.graph.node] == ["a", "a#2", "a#3"]
    assert [array.name for array in model.graph.initializer] == ["a/constant_0", "a/0#2", "a/1"]


def test_blobs_are_listed_with_their_lengths() -> None:
    text = inputs(data=(1, 2, 5, 6)) + layer("Convolution", CONV, "data", "c") + layer("ReLU", "", "c", "r", "relu")
    graph = model_of(random_net(text)).graph
    (given,), (inside,), (output,) = graph.input, graph.value_info, graph.output
    assert [dim.dim_param or dim.dim_value for dim in given.type.tensor_type.shape.dim] == [
        "data_n",
        2,
        "data_h",
        "data_w",
    ]
    assert (inside.name, inside.doc_string) == ("c", "c")
    assert (output.name, output.doc_string) == ("r", "r")
    assert [dim.dim_value for dim in output.type.tensor_type.shape.dim] == [0, 3, 0, 0]


def test_an_input_that_nobody_takes_is_no_output(agree: Agree) -> None:
    text = inputs(x=(2, 3), idle=(4,)) + layer("TanH")
    graph = agree(text, {"x": (2, 3), "idle": (4,)}).graph
    assert [info.name for info in graph.input] == ["x", "idle"]
    assert [info.name for info in graph.output] == ["y"]


def test_the_same_net_gives_the_same_bytes(tmp_path: Path) -> None:
    text = inputs(x=(2, 3, 7, 8)) + layer("Convolution", CONV, tops="c") + layer("Pooling", POOL, "c", "p", "pool")
    for name in ("a", "b"):
        write_onnx(tmp_path / name, model_of(random_net(text)))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


POOL = "pooling_param { pool: AVE kernel_size: 2 stride: 2 pad: 1 }"


def test_folded_parts_give_the_outputs(tmp_path: Path) -> None:
    text = inputs(x=(1, 2, 5, 6)) + layer("Convolution", CONV, tops="c") + layer("BatchNorm", "", "c", "c", "bn")
    net = random_net(
        text + layer("Scale", "scale_param { bias_term: true }", "c", "c", "scale") + layer("ReLU", "", "c")
    )
    for param in net.layer("bn").params:
        param.detach().abs_()
    model = onnx_model("folded", fold(net.parts).parts, net.inputs, net.outputs)
    assert [node.op_type for node in model.graph.node] == ["Conv", "Relu"]
    write_onnx(tmp_path / "net.onnx", model)
    x = torch.randn(2, 2, 9, 4)
    with torch.no_grad():
        want = net(x=x)["y"]
    assert torch.allclose(torch.from_numpy(OnnxRun(tmp_path / "net.onnx").chained({"x": x})["y"]), want, atol=1e-5)


def test_what_onnx_itself_infers_is_what_is_told() -> None:
    text = inputs(x=(1, 2, 9, 8)) + layer("Convolution", CONV, tops="c") + layer("Pooling", POOL, "c", "y", "pool")
    model = model_of(random_net(text))
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def test_without_the_package_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "recaffe.prototxt.export.onnx.protos", raising=False)
    net = random_net(inputs(x=(2, 3)) + layer("TanH"))
    with pytest.raises(
        PrototxtError, match=r"^needs the package onnx to write a .onnx file: pip install 'recaffe\[onnx\]'$"
    ):
        onnx_model("net", net.parts, net.inputs, net.outputs)


def test_more_than_protobuf_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_MOST_BYTES", 100)
    net: Net = random_net(inputs(x=(2, 3)) + layer("InnerProduct", "inner_product_param { num_output: 9 }"))
    line = "net 'net' has 0.00 GiB of params, and an ONNX file holds less than 2: port to .safetensors instead"
    with pytest.raises(PrototxtError, match=line):
        onnx_model("net", net.parts, net.inputs, net.outputs)
