"""The side under test: built, filled, and as it was before a forward."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject, golden_params
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[2] / "golden" / "fixtures"
FRCNN = Fixture.load(FIXTURES / "nets" / "frcnn_test.npz")


def test_the_fixtures_own() -> None:
    net = Subject().build(FRCNN)
    assert Subject().fill(net, FRCNN) is None
    assert np.array_equal(net.layer("fc7").params[0].detach().numpy(), FRCNN.params["fc7", 0])
    assert net.config["TEST.RPN_POST_NMS_TOP_N"] == 30


def test_what_is_given() -> None:
    weights = read_weights(FIXTURES / "nets" / "frcnn_test.caffemodel")
    text = read_net(FRCNN.prototxt.replace('name: "fc7"', 'name: "fc_7"'))
    subject = Subject(text, weights, configure=lambda base: base.with_flat({"TEST.RPN_NMS_THRESH": 0.5}))
    net = subject.build(FRCNN)
    match = subject.fill(net, FRCNN)
    assert match is not None
    assert (match.missing, match.unused) == (["fc_7"], ["fc7"])
    assert (net.config["TEST.RPN_NMS_THRESH"], net.config["TEST.RPN_POST_NMS_TOP_N"]) == (0.5, 30)


def test_params_of_another_shape_are_left_to_their_fillers() -> None:
    net = Subject(read_net(FRCNN.prototxt.replace("num_output: 12", "num_output: 13"))).build(FRCNN)
    assert {place for place in FRCNN.params if place not in golden_params(net, FRCNN)} == {
        ("conv4_1", 0),
        ("conv4_1", 1),
        ("conv5_1", 0),
    }


def test_until_keeps_in_place_layers() -> None:
    net = Subject(until="conv2_1").build(FRCNN)
    assert [node.name for node in net.nodes][-2:] == ["conv2_1", "relu2_1"]
    text = read_net(FRCNN.prototxt)
    Subject(text, until="conv2_1").build(FRCNN)
    assert len(text.net.layer) > len(net.nodes)


@pytest.mark.parametrize(
    ("name", "same"), [("nets/frcnn_train", True), ("layers/bn_train_eps", False), ("data_layers/memory", False)]
)
def test_a_net_is_used_again_where_a_forward_leaves_no_trace(name: str, same: bool) -> None:
    fixture = Fixture.load(FIXTURES / f"{name}.npz")
    subject = Subject()
    net = subject.build(fixture)
    subject.fill(net, fixture)
    draws = net.rng.get_state()[1].copy()
    net.rng.rand(3)
    other = subject.anew(net, fixture)
    assert (other is net) == same
    assert np.array_equal(other.rng.get_state()[1], draws)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))
