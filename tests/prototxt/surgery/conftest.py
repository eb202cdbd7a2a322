"""Small nets to operate on, with params that no filler gives twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from recaffe.prototxt.caffe_pb2 import NetParameter
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.operation import Operation
from recaffe.prototxt.text.read import NetText, read_net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"

Start = Callable[..., Operation]
Finish = Callable[[Operation], Net]


def built(message: NetParameter, phase: str = "TEST") -> Net:
    return Net(NetText(message), phase)


@pytest.fixture
def start() -> Start:
    """An operation on a net from its text; its params are random, as fillers' constants would hide mistakes."""

    def begin(text: str, phase: str = "TEST") -> Operation:
        message = read_net(text).net
        net, generator = built(message, phase), torch.Generator().manual_seed(3)
        net.fill()
        for param in net.parameters():
            param.data = torch.rand(param.shape, generator=generator) + 0.1
        return Operation(net, message)

    return begin


@pytest.fixture
def finish() -> Finish:
    """The net that comes of an operation, in the phase of the one before."""
    return lambda operation: operation.finish(lambda message: built(message, operation.net.phase))


@pytest.fixture
def frcnn() -> Operation:
    """An operation on the Faster R-CNN that Caffe's fixture tests, with its weights."""
    text = read_net(NETS / "frcnn_test.prototxt")
    net = Net(text)
    net.load(NETS / "frcnn_test.caffemodel")
    return Operation(net, text.net)
