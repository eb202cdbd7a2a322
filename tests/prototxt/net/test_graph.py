"""The wiring's own words; that it is Caffe's is judged in test_parsing."""

import pytest

from recaffe.prototxt.net.graph import Graph, GraphError, build_graph
from recaffe.prototxt.text.read import read_net


def graph(text: str, phase: str = "TEST") -> Graph:
    net = read_net(text + "\n")
    return build_graph(net.net, phase, net.where)


INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            INPUT + 'layer { name: "a" type: "ReLU" bottom: "dat" top: "a" }',
            "<text>:2: layer 'a' takes blob 'dat' (bottom 0), which no layer gives; did you mean 'data'?",
        ),
        (
            'layer { name: "a" type: "ReLU" bottom: "data" top: "a" }\n' + INPUT,
            "<text>:1: layer 'a' takes blob 'data' (bottom 0), which layer 'data' (<text>:2) gives only later: "
            "move that layer up",
        ),
        (
            'layer { name: "a" type: "ReLU" bottom: "c" top: "b" }\n'
            'layer { name: "z" type: "ReLU" bottom: "b" top: "c" }',
            "<text>:1: layer 'a' takes blob 'c' (bottom 0), and layer 'z' (<text>:2) that gives it depends on it: "
            "the two make a cycle",
        ),
        (
            'layer { name: "a" type: "ReLU" bottom: "b" top: "b" }',
            "<text>:1: layer 'a' takes blob 'b' (bottom 0), which it gives itself: in-place layers need an earlier one "
            "that makes the blob",
        ),
        (
            INPUT + 'layer { name: "a" type: "ReLU" bottom: "data" top: "a" include { phase: TRAIN } }\n'
            'layer { name: "z" type: "ReLU" bottom: "a" top: "z" }',
            "<text>:3: layer 'z' takes blob 'a' (bottom 0), which only layer 'a' (<text>:2) gives, and its rules leave "
            "it out of TEST",
        ),
        (
            INPUT + 'layer { name: "a" type: "ReLU" bottom: "data" top: "y" }\n'
            'layer { name: "z" type: "ReLU" bottom: "data" top: "y" }',
            "<text>:3: layer 'z' (ReLU): gives blob 'y', which layer 'a' (<text>:2) gives already: rename one, or "
            "compute in place right after the maker, before any other layer takes it",
        ),
    ],
)
def test_a_net_that_cannot_be_wired_is_refused_with_both_layers(text: str, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        graph(text)
    assert str(caught.value) == message


def test_a_blob_with_two_readers_is_split_under_caffes_names() -> None:
    net = graph(
        INPUT + 'layer { name: "a" type: "ReLU" bottom: "data" top: "a" }\n'
        'layer { name: "z" type: "TanH" bottom: "data" top: "z" }'
    )
    assert [node.name for node in net.nodes] == ["data", "data_data_0_split", "a", "z"]
    assert net.nodes[1].tops == ("data_data_0_split_0", "data_data_0_split_1")
    assert [node.bottoms for node in net.nodes[2:]] == [("data_data_0_split_0",), ("data_data_0_split_1",)]
    assert net.outputs == ("a", "z")


def test_phase_is_train_or_test() -> None:
    with pytest.raises(GraphError, match="phase is TRAIN or TEST, not 'test'"):
        graph(INPUT, "test")
