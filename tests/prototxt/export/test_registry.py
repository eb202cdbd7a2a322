"""Every layer type has each form, or a reason for having none; both forms refuse in the same words."""

from __future__ import annotations

from typing import Any

import pytest

from recaffe.layers.base.layer import Layer
from recaffe.layers.base.registry import registered
from recaffe.layers.pooling import PoolingLayer
from recaffe.layers.relu import ReLULayer
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.onnx import onnx_model
from recaffe.prototxt.export.onnx.writers import WRITERS as NODES
from recaffe.prototxt.export.refusals import DRAWS, NO_DILATION, NOT_IN_ONNX, OVERHANG, UNEXPORTED, ExportError
from recaffe.prototxt.export.registry import Registry
from recaffe.prototxt.export.torch import write_module
from recaffe.prototxt.export.torch.writers import WRITERS as CODE
from recaffe.prototxt.net.net import Net

UNWRITTEN = {"Input", "Silence", "Split"}
"""What code and nodes do without: a net's inputs; in code, also copies and what swallows them."""
FORMS = [pytest.param(CODE, UNWRITTEN, id="code"), pytest.param(NODES, {"Input"}, id="onnx")]
X = "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 dim: 5 dim: 4 } } }\n"


@pytest.mark.parametrize(("form", "without"), FORMS)
def test_every_type_is_written_or_has_its_reason(form: Registry[Any], without: set[str]) -> None:
    types = {cls.type for cls in form.writers()}
    assert types.isdisjoint(form.refusals)
    assert types | form.refusals.keys() | without == registered().keys()
    assert form.refusals.keys() - UNEXPORTED.keys() <= NOT_IN_ONNX.keys()


def test_a_type_has_the_same_module_in_both_forms() -> None:
    code, nodes = (
        {cls: writer.__module__.rpartition(".")[2] for cls, writer in form.writers().items()} for form in (CODE, NODES)
    )
    both = code.keys() & nodes.keys()
    assert len(both) > 30
    assert {cls: code[cls] for cls in both} == {cls: nodes[cls] for cls in both}
    assert set(code.values()) == set(nodes.values())


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ("type: 'EuclideanLoss' bottom: 'x' bottom: 'x'", r"it needs labels: port the TEST net$"),
        ("type: 'Dropout' bottom: 'x'", f"{DRAWS}$"),
        ("type: 'Pooling' bottom: 'x' pooling_param { pool: STOCHASTIC kernel_size: 2 }", f"{DRAWS}$"),
        ("type: 'SPP' bottom: 'x' spp_param { pool: STOCHASTIC pyramid_height: 1 }", "it draws at random with STOCH"),
        ("type: 'Convolution' bottom: 'x' convolution_param { num_output: 2 kernel_size: 2 dilation: 0 }", NO_DILATION),
        (
            "type: 'Deconvolution' bottom: 'x' convolution_param { num_output: 2 kernel_size: 2 dilation: 0 }",
            NO_DILATION,
        ),
        ("type: 'Convolution' bottom: 'x' convolution_param { num_output: 2 kernel_size: 9 stride: 9 }", OVERHANG),
        ("type: 'Im2col' bottom: 'x' convolution_param { kernel_size: 2 }", "Convolution does without it: leave it"),
    ],
)
def test_both_forms_refuse_in_the_same_words(layer: str, reason: str) -> None:
    net = Net.from_prototxt(X + f"layer {{ name: 'odd' top: 'z' {layer} }}", "TRAIN")
    for form, write in (("PyTorch code", write_module), ("ONNX", onnx_model)):
        line = rf"^<text>:2: layer 'odd' \(\w+\): cannot be written as {form}: {reason}"
        with pytest.raises(ExportError, match=line):
            write("net", net.parts, net.inputs, net.outputs)


@pytest.mark.parametrize("form", [CODE, NODES])
def test_an_unknown_class_is_refused(form: Registry[Any]) -> None:
    class Own(Layer):
        type = "mine.Own"

    (node,) = Net.from_prototxt(X).nodes
    with pytest.raises(ExportError, match=rf"as {form.form}: recaffe does not know what it computes: cut the net befo"):
        form.check(node, Own())
    assert issubclass(ExportError, PrototxtError)


@pytest.mark.parametrize("form", [CODE, NODES])
def test_two_writers_of_one_class_are_refused(form: Registry[Any]) -> None:
    writer = form.writers()[PoolingLayer]
    with pytest.raises(ExportError, match=rf"^ReLULayer is written as {form.form} already$"):
        form.writes(ReLULayer)(writer)
