"""The proof of a model: what differs is named, and rounding that tips a decision is told from a wrong layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recaffe.golden.errors import GoldenError
from recaffe.golden.proof.model import prove
from recaffe.golden.proof.trial import run_blobs
from recaffe.prototxt.files.weights import Floats
from recaffe.prototxt.net.net import Net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"


def frcnn() -> Net:
    return Net.from_prototxt(NETS / "frcnn_test.prototxt", weights=NETS / "frcnn_test.caffemodel")


class Stub:
    """A model that gives the net's own blobs, but for some whose values are moved, in a chain or alone."""

    def __init__(self, net: Net, in_chain: Mapping[str, float], alone: Mapping[str, float], lost: str = "") -> None:
        self.net, self.in_chain, self.by_itself, self.lost = net, in_chain, alone, lost

    def chained(self, feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        blobs = run_blobs(self.net, feed)
        blobs.pop(self.lost, None)
        return {name: value + self.in_chain.get(name, 0) for name, value in blobs.items()}

    def alone(self, blobs: Mapping[str, Tensor]) -> dict[str, Floats]:
        return {name: value.numpy() + self.by_itself.get(name, 0) for name, value in blobs.items() if name != self.lost}


def test_the_same_is_told() -> None:
    told = prove(frcnn(), Stub(frcnn(), {}, {}))
    assert told == ["30 blobs the same on a random input", "30 blobs the same on a blank input"]


def test_the_first_layer_that_is_wrong_by_itself_is_named() -> None:
    model = Stub(frcnn(), {"conv3_1": 1, "fc7": 1}, {"conv3_1": 1, "fc7": 1})
    with pytest.raises(GoldenError, match=r"^on a random input top/conv3_1: \d+ of \d+ values differ, first at"):
        prove(frcnn(), model)


def test_a_decision_that_rounding_tips_is_told() -> None:
    told = prove(frcnn(), Stub(frcnn(), {"rois": 1, "pool5": 1}, {}))
    assert told[0].startswith(
        "30 blobs the same on a random input, layer by layer; in a chain rounding shows in top/rois: "
    )


def test_a_lost_output_is_found() -> None:
    with pytest.raises(GoldenError, match=r"^on a random input top/cls_prob: missing$"):
        prove(frcnn(), Stub(frcnn(), {}, {}, lost="cls_prob"))


def test_labels_and_places_must_be_equal() -> None:
    text = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 5 } } }\n"
    net = Net.from_prototxt(text + "layer { name: 'best' type: 'ArgMax' bottom: 'x' top: 'best' }")
    assert torch.is_tensor(net(x=torch.rand(2, 5))["best"])
    with pytest.raises(GoldenError, match=r"top/best: 2 of 2 values differ.* must be equal"):
        prove(net, Stub(net, {"best": 1e-7}, {"best": 1e-6}))
