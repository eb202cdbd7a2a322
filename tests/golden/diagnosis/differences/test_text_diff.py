"""Two prototxts side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recaffe.golden.diagnosis.differences.text_diff import compare_nets
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import read_net

NET = """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 9 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" param { lr_mult: 1 }
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { kernel_size: 2 } }
layer { name: "q" type: "Pooling" bottom: "c" top: "q" pooling_param { kernel_size: 2 pool: AVE } }
"""


def differences(*changes: tuple[str, str], config: Callable[[Config], Config] = lambda c: c) -> list[str]:
    text = NET
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return [str(d) for d in compare_nets(Net(read_net(NET)), Net(read_net(text), config=config(Config())))]


@pytest.mark.parametrize(
    "change",
    [
        ("kernel_size: 2 }", "kernel_size: 2 stride: 1 }"),
        ("dim: 8 dim: 9", "dim: 18 dim: 19"),
        ('"xavier"', '"msra"'),
        ("layer {", "\n layer {"),
    ],
)
def test_what_means_the_same(change: tuple[str, str]) -> None:
    assert differences(change) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("kernel_size: 2 }", "kernel_size: 3 }"), "layer 'p': pooling_param.kernel_size: golden 2, NET 3"),
        (("pool: AVE", ""), "layer 'q': pooling_param.pool: golden AVE, NET MAX"),
        (("lr_mult: 1", "lr_mult: 2"), "layer 'c': param: golden lr_mult: 1, NET lr_mult: 2"),
        (('"ReLU"', '"TanH"'), "layer 'r': type: golden ReLU, NET TanH"),
        (('bottom: "c" top: "q"', 'bottom: "p" top: "q"'), "layer 'q': bottom: golden c, NET p"),
        (('top: "p"', 'top: "pp"'), "layer 'p': top: golden p, NET pp"),
    ],
)
def test_one_difference(change: tuple[str, str], line: str) -> None:
    assert differences(change) == [line]


def test_layers_that_one_side_has() -> None:
    assert differences(('layer { name: "r" type: "ReLU" bottom: "c" top: "c" }', "")) == [
        "layer 'r' (ReLU) is in the golden only"
    ]
    assert differences(('name: "r"', 'name: "s"')) == [
        "layer 'r' (ReLU) is in the golden only",
        "layer 's' (ReLU) is in the NET only",
    ]


def test_the_config() -> None:
    found = differences(config=lambda base: base.with_flat({"TEST.NMS": 0.5}))
    assert found == ["config TEST.NMS: golden 0.3, NET 0.5"]


def test_keywords_of_python_layers() -> None:
    layer = """layer { name: "d" type: "Python" bottom: "a" bottom: "b" bottom: "i" top: "rois" python_param {
        module: "rpn.proposal_layer" layer: "ProposalLayer" param_str: "%s" } }"""
    inputs = "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ {dims} }} }} }}\n'
        for name, dims in (
            ("a", "dim: 1 dim: 18 dim: 3 dim: 4"),
            ("b", "dim: 1 dim: 36 dim: 3 dim: 4"),
            ("i", "dim: 1 dim: 3"),
        )
    )
    texts = ("'feat_stride': 16\\n'scales': [2, 4, 8]", "{scales: [2, 4, 9], feat_stride: 16}")
    golden, ours = (Net(read_net(inputs + layer % text)) for text in texts)
    assert [str(d) for d in compare_nets(golden, ours)] == [
        "layer 'd': param_str scales: golden [2, 4, 8], NET [2, 4, 9]"
    ]
