from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.operation import Operation, SurgeryError, describe, reached, spread

NET = """name: "n"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4 } }
layer { name: "b" type: "BatchNorm" bottom: "y" top: "y" }
layer { name: "c" type: "InnerProduct" bottom: "x" top: "z" inner_product_param { num_output: 5 } }
"""


def test_nothing_done_is_the_same_net(start: Callable[[str], Operation], finish: Callable[[Operation], Net]) -> None:
    operation = start(NET)
    pairs = zip(operation.net.parameters(), finish(operation).parameters(), strict=True)
    assert all(torch.equal(old, new) for old, new in pairs)
    assert operation.changes == {}


def test_rows_go_over_and_the_rest_is_filled(
    start: Callable[[str], Operation], finish: Callable[[Operation], Net]
) -> None:
    operation = start(NET)
    operation.layers("a")[0].inner_product_param.num_output = 3
    operation.resize("a", [2, None, 0], "outputs 1")
    operation.resize("b", [2, None, 0], "outputs 1")
    net, old = finish(operation), operation.net
    for name, index in (("a", 0), ("a", 1), ("b", 0), ("b", 1)):
        assert torch.equal(net.layer(name).params[index][[0, 2]], old.layer(name).params[index][[2, 0]])
        assert not net.layer(name).params[index][1].any()
    assert torch.equal(net.layer("b").params[2], old.layer("b").params[2])
    assert operation.untrained["a"] == "outputs 1 (filled by constant 0, constant 0)"
    assert operation.promise.moved == {"y"}
    assert operation.changes["a"] == ["param 0 was 4×3, is 3×3", "param 1 was 4, is 3"]


def test_namesakes_are_refused(start: Callable[[str], Operation]) -> None:
    with pytest.raises(SurgeryError, match=r"^net 'n' has several layers 'a' with params: rename one by hand$"):
        start(NET.replace('"c"', '"a"'))


def test_a_layer_of_another_phase_has_no_params(start: Callable[[str], Operation]) -> None:
    operation = start(NET.replace("num_output: 5 }", "num_output: 5 } include { phase: TRAIN }"))
    with pytest.raises(SurgeryError) as refused:
        operation.sole_layer("c", ("InnerProduct",))
    assert str(refused.value) == "layer 'c' (InnerProduct) has no params in phase TEST: choose its phase"


def test_what_depends_on_a_layer(start: Callable[[str], Operation]) -> None:
    net = start(NET).net
    assert reached(net, {"a"}) == reached(net, {"b"}) == {"y"}
    assert reached(net, {"x"}) == set(net.blob_shapes)


def test_words_and_rows() -> None:
    assert spread([1, None], 3) == [3, 4, 5, None, None, None]
    fillers = Filler("gaussian", std=0.01), Filler("uniform", min=-1), Filler("msra"), Filler(value=2)
    assert [*map(describe, fillers)] == ["gaussian 0.01", "uniform -1 1", "msra", "constant 2"]
