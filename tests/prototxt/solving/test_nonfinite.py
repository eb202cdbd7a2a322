"""The layer to blame for a loss that is no number."""

from __future__ import annotations

import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.nonfinite import drawn, first_nonfinite

TEXT = """layer { name: "in" type: "Input" top: "x" top: "y" input_param {
  shape { dim: 2 dim: 3 } shape { dim: 2 dim: 4 } } }
layer { name: "drop" type: "Dropout" bottom: "x" top: "d" }
layer { name: "log" type: "Log" bottom: "d" top: "d" }
layer { name: "fc" type: "InnerProduct" bottom: "d" top: "fc" inner_product_param { num_output: 4
  weight_filler { value: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "y" top: "loss" }
"""


def blame(net: Net, x: torch.Tensor) -> str:
    before = drawn(net)
    sources = {"x": x, "y": torch.zeros(2, 4)}
    net(sources)
    return first_nonfinite(net, sources, before)


def test_the_layer_that_makes_it_in_place_is_named_and_not_the_blobs_first() -> None:
    net = Net.from_prototxt(TEXT)
    assert blame(net, torch.ones(2, 3)) == ""
    assert blame(net, torch.tensor([[1.0, 0, 1], [1, 1, 1]])) == "blob 'd', a top of <text>:4: layer 'log' (Log)"
    assert blame(net, torch.full((2, 3), torch.nan)) == "blob 'x', a top of <text>:1: layer 'in' (Input)"


def test_a_param_is_named_before_what_it_spoils() -> None:
    net = Net.from_prototxt(TEXT)
    net.layer("fc").params[1].data[2] = torch.inf
    assert blame(net, torch.ones(2, 3)) == "param 1 of <text>:5: layer 'fc' (InnerProduct)"


def test_the_same_random_numbers_are_drawn_again() -> None:
    net = Net.from_prototxt(TEXT, "TRAIN")
    before = drawn(net)
    net(x=torch.ones(2, 3), y=torch.zeros(2, 4), keep=["d"])
    dropped = net.blobs["d"].clone()
    sources = {"x": torch.ones(2, 3), "y": torch.zeros(2, 4)}
    assert first_nonfinite(net, sources, before) == "blob 'd', a top of <text>:4: layer 'log' (Log)"
    assert dropped.isinf().any()  # what was dropped is log(0)
