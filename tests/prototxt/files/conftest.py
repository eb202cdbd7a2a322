"""Tensors of many types, and nets to be written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"


@pytest.fixture
def values() -> dict[str, torch.Tensor]:
    """Tensors of every type by the keys of params."""
    return {
        "a.0": torch.arange(6, dtype=torch.float32).view(2, 3),
        "b.0": torch.tensor([1.5, -2], dtype=torch.bfloat16),
        "b.1": torch.tensor([3, -4, 5], dtype=torch.int8),
        "c.0": torch.tensor(0.1, dtype=torch.float64),
        "d.0": torch.tensor([True, False]),
        "e.0": torch.zeros(0, 3),
    }


@pytest.fixture
def lenet() -> Net:
    """With Caffe's own weights."""
    return Net.from_prototxt(FORMATS / "lenet.prototxt", weights=FORMATS / "lenet.caffemodel")


@pytest.fixture
def dotted() -> Net:
    """Two layers of one name, and one with a dot in it."""
    text = "layer { name: 'data' type: 'Input' top: 'a' input_param { shape { dim: 2 dim: 3 } } }\n"
    for name, bottom, top in (("ü.1", "a", "b"), ("same", "b", "c"), ("same", "c", "d")):
        text += f"layer {{ name: '{name}' type: 'InnerProduct' bottom: '{bottom}' top: '{top}' "
        text += "inner_product_param { num_output: 5 weight_filler { type: 'xavier' } } }\n"
    net = Net(read_net(text))
    net.fill()
    return net
