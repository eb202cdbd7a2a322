"""A net follows the golden's order while it is asked to, layer after layer, and is itself again after that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from recaffe.golden.fixture.fixture import Fixture
from recaffe.golden.run import verify
from recaffe.golden.subject import Subject
from recaffe.golden.ties.golden_order import GoldenOrder
from recaffe.prototxt.net.net import Net

from .goldens import FIXTURES, by_accident, golden_of, scaled

GOLDEN = golden_of(scaled(Fixture.load(FIXTURES / "nets" / "frcnn_test.npz"), "rpn_cls_score", 400), by_accident(3))
BOTH = """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 4 } } }
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 2 } } }
layer { name: "best" type: "ArgMax" bottom: "x" top: "best" argmax_param { axis: 1 } }
layer { name: "twice" type: "Power" bottom: "best" top: "twice" power_param { scale: 2 } }
layer { name: "right" type: "Accuracy" bottom: "x" bottom: "label" top: "right" }"""


def net_of(fixture: Fixture) -> Net:
    net = Subject().build(fixture)
    Subject().fill(net, fixture)
    return net


def rois(net: Net) -> np.ndarray:
    with torch.no_grad():
        net(GOLDEN.bottoms, keep="all")
    return net.blobs["rois"].numpy()


def test_only_while_it_is_entered() -> None:
    net = net_of(GOLDEN)
    own = rois(net)
    with GoldenOrder(net, GOLDEN, 1e-4) as order:
        followed = rois(net)
    np.testing.assert_array_equal(followed, GOLDEN.tops["rois"])
    np.testing.assert_array_equal(rois(net), own)
    assert (own != followed).any()
    assert [tie.layer for tie in order.ties] == ["proposal"]
    assert {blob for blob in order.behind if "_split_" not in blob} == {
        "rois",
        "pool5",
        "fc6",
        "fc7",
        "cls_score",
        "bbox_pred",
        "cls_prob",
    }


def test_nothing_is_followed_where_nothing_differs() -> None:
    golden = Fixture.load(FIXTURES / "nets" / "frcnn_test.npz")
    net = net_of(golden)
    with GoldenOrder(net, golden, 1e-4) as order:
        rois(net)
    assert order.ties == []


def test_layer_after_layer() -> None:
    x = np.float32([[0, 3, 3, 1], [2, 2, 0, 1]])
    tops = {"best": [[1], [0]], "twice": [[2], [0]], "right": 0.5}
    arrays = {name: np.array(value, np.float32) for name, value in tops.items()}
    fixture = replace(GOLDEN, prototxt=BOTH, bottoms={"x": x, "label": np.float32([1, 2])}, params={}, tops=arrays)
    report = verify(fixture)
    assert (report.outcome, [tie.layer for tie in report.ties]) == ("same but for ties", ["best", "right"])
    assert report.ties[0].values == 2 + 2 + 1  # places, their doubles, and the accuracy
    wrong = replace(fixture, tops=arrays | {"twice": np.float32([[4], [0]])})
    report = verify(wrong)
    assert [result.key for result in report.results if not result.ok] == ["top/twice"]


def test_bottoms_that_the_golden_lacks() -> None:
    short = replace(GOLDEN, tops={name: GOLDEN.tops[name] for name in ("rois", "cls_prob", "bbox_pred")})
    assert verify(short).outcome == "same but for ties"
