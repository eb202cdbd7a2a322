from __future__ import annotations

from recaffe.prototxt.surgery.wiring import Wiring
from recaffe.prototxt.text.read import read_net

NET = """
layer { name: "x" type: "Input" top: "x" }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" }
layer { name: "s" type: "Scale" bottom: "a" top: "a" }
layer { name: "r" type: "Reshape" bottom: "a" top: "r" }
layer { name: "p" type: "Softmax" bottom: "r" top: "p" }
layer { name: "l" type: "SmoothL1Loss" bottom: "a" bottom: "t" top: "l" }
layer { name: "m" type: "Eltwise" bottom: "x" bottom: "a" top: "m" }
"""


def names(layers: object) -> list[str]:
    return [layer.name for layer in layers]  # type: ignore[attr-defined]


def test_the_way_from_a_layer_and_back() -> None:
    net = read_net(NET).net
    wiring = Wiring(net)
    way = wiring.way(net.layer[1])
    assert (names(way.layers), names(way.ends), way.is_open) == (["s", "r", "p"], ["l"], True)
    found, passed = wiring.behind("p")
    assert (names(found), names(passed)) == (["a"], ["p", "r", "s"])
    del net.layer[4], net.layer[3]
    assert not Wiring(net).way(net.layer[1]).is_open


def test_a_blob_computed_in_place_last_is_open() -> None:
    net = read_net(NET).net
    del net.layer[3:]
    assert Wiring(net).way(net.layer[1]).is_open


def test_every_type_that_keeps_channels_is_passed_and_unknown_ones_end_a_way() -> None:
    net = read_net(NET).net
    net.layer[2].type = "TanH"
    net.layer[3].type = "Mine"
    way = Wiring(net).way(net.layer[1])
    assert (names(way.layers), names(way.ends)) == (["s"], ["r", "l"])
    assert names(Wiring(net).behind("p")[0]) == ["r"]
