"""Trials of two nets find the first blob that differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.proof.trial import needs_data, run_both
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
LENET = FIXTURES / "formats" / "lenet.prototxt"
WEIGHTS = FIXTURES / "formats" / "lenet.caffemodel"


def lenet() -> Net:
    return Net.from_prototxt(LENET, weights=WEIGHTS)


def test_both_nets_are_run_on_both_inputs() -> None:
    assert run_both(lenet(), lenet()) == ["9 blobs the same on a random input", "9 blobs the same on a blank input"]


def test_the_first_blob_that_differs_is_named() -> None:
    other = lenet()
    other.layer("ip2").params[1].detach()[5] += 1
    with pytest.raises(GoldenError, match=r"on a random input top/ip2: 2 of 192 values differ, first at \[0, 5\]"):
        run_both(lenet(), other)


def test_boxes_and_image_sizes_make_sense() -> None:
    net = Net.from_prototxt(
        FIXTURES / "nets" / "frcnn_test.prototxt", weights=WEIGHTS.parents[1] / "nets/frcnn_test.caffemodel"
    )
    told = run_both(net, net)
    assert told == ["32 blobs the same on a random input", "32 blobs the same on a blank input"]
    rois = net.blobs["rois"].numpy()
    assert np.ptp(rois[:, 3]) > 0


def test_a_net_that_needs_data_says_so() -> None:
    text = "layer { name: 'd' type: 'DummyData' top: 'x' dummy_data_param { shape { dim: 2 } } }\n"
    assert needs_data(Net(read_net(text))) == ""
    text = "layer { name: 'in' type: 'Python' top: 'data' top: 'im_info' top: 'gt_boxes' python_param { "
    text += "module: 'roi_data_layer.layer' layer: 'RoIDataLayer' param_str: \"'num_classes': 4\" } }\n"
    assert needs_data(Net(read_net(text), "TRAIN")) == "layer 'in' (Python) needs data"


def test_a_run_that_fails_is_told() -> None:
    text = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } }\n"
    text += "layer { name: 'l' type: 'Input' top: 'l' input_param { shape { dim: 2 dim: 1 } } }\n"
    text += "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'x' bottom: 'l' top: 'loss' }"
    net = Net(read_net(text))
    random, blank = run_both(net, net)
    assert random.startswith("not run on a random input: <text>:3: layer 'loss' (SoftmaxWithLoss): a label")
    assert blank == "3 blobs the same on a blank input"
