"""How a small net is held against the ONNX model made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor

from recaffe.golden.compare import compare_blob
from recaffe.golden.limits import FORWARD, discrete_blobs
from recaffe.golden.proof.onnx_run import OnnxRun
from recaffe.prototxt.export.onnx.drawing import onnx_model, write_onnx
from recaffe.prototxt.net.net import Net

Feed = Mapping[str, Tensor | tuple[int, ...]]
Agree = Callable[..., onnx.ModelProto]


def inputs(**shapes: tuple[int, ...]) -> str:
    """Input layers."""
    lines = ""
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {length}" for length in shape)
        lines += f"layer {{ name: '{name}' type: 'Input' top: '{name}' input_param {{ shape {{ {dims} }} }} }}\n"
    return lines


def layer(kind: str, fields: str = "", bottoms: str = "x", tops: str = "y", name: str = "op") -> str:
    """One layer; bottoms and tops are names with spaces between."""
    blobs = "".join(f" bottom: '{blob}'" for blob in bottoms.split()) + "".join(f" top: '{t}'" for t in tops.split())
    return f"layer {{ name: '{name}' type: '{kind}'{blobs} {fields} }}\n"


def random_net(text: str) -> Net:
    """A net whose params are random numbers, half of them negative."""
    net, generator = Net.from_prototxt(text), torch.Generator().manual_seed(3)
    for param in net.parameters():
        param.data = torch.rand(param.shape, generator=generator) - 0.5
    return net


def model_of(net: Net) -> onnx.ModelProto:
    model = onnx_model(net.graph.name, net.parts, net.inputs, net.outputs)
    onnx.checker.check_model(model, full_check=True)
    nodes = [
        *model.graph.node,
        *(node for scan in model.graph.node for field in scan.attribute for node in field.g.node),
    ]
    read = {name for node in nodes for name in node.input} | {
        info.name for info in (*model.graph.output, *model.graph.value_info)
    }
    assert [node.name for node in model.graph.node if not read & set(node.output)] == []
    assert [array.name for array in model.graph.initializer if array.name not in read] == []
    return model


@pytest.fixture
def agree(tmp_path: Path) -> Agree:
    """One model gives every blob that the net gives for each of the feeds: whole, and layer by layer.

    A feed has for each input a tensor, or the shape of a random one.
    """

    def check(net: Net | str, *feeds: Feed) -> onnx.ModelProto:
        net = random_net(net) if isinstance(net, str) else net
        model = model_of(net)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.onnx"
        write_onnx(path, model)
        written, generator = OnnxRun(path), torch.Generator().manual_seed(4)
        given = [
            {
                name: value if isinstance(value, Tensor) else torch.randn(value, generator=generator)
                for name, value in feed.items()
            }
            for feed in feeds
        ]
        for how in (written.chained, written.alone):
            for feed in given:
                with torch.no_grad():
                    net({name: value.clone() for name, value in feed.items()}, keep="all")
                found = how(feed if how == written.chained else dict(net.blobs))
                assert set(net.outputs) - set(net.inputs) <= set(found)
                for name, have in found.items():
                    exact = name in discrete_blobs(net)
                    result = compare_blob(name, net.blobs[name].numpy(), have, FORWARD, exact=exact)
                    assert result.ok, f"{how.__name__}: {result}"
        return model

    return check
