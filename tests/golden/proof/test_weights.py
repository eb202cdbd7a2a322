"""The proof finds what is wrong with written weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.golden.errors import GoldenError
from recaffe.golden.proof.weights import compare_params, needs_data, run_both
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.layer_params import LayerParams
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
LENET = FIXTURES / "formats" / "lenet.prototxt"
WEIGHTS = FIXTURES / "formats" / "lenet.caffemodel"


def lenet() -> Net:
    return Net.from_prototxt(LENET, weights=WEIGHTS)


def changed(name: str, index: int, value: float) -> tuple[list[LayerParams], list[LayerParams]]:
    """Lenet's layers, and the same with the last value of a param set to another."""
    net, other = lenet(), lenet()
    param = other.layer(name).params[index].detach()
    param.view(-1)[-1] = value
    return params_of(net), params_of(other)


def test_what_is_the_same_passes() -> None:
    assert compare_params(params_of(lenet()), params_of(lenet())) == {}


@pytest.mark.parametrize(("name", "index"), [("conv1", 0), ("bn1", 2), ("ip3", 1)])
def test_one_value_is_found(name: str, index: int) -> None:
    with pytest.raises(GoldenError, match=f"layer '{name}', param {index} comes back .* with other bits"):
        compare_params(*changed(name, index, 0.12345))


def test_bits_count_not_values() -> None:
    want, have = changed("conv1", 1, 0.0)
    tensor = torch.from_numpy(have[1].params[1].array())
    negative = torch.where(tensor == 0, -0.0, tensor)
    have[1] = replace(have[1], params=(have[1].params[0], replace(have[1].params[1], values=negative)))
    with pytest.raises(GoldenError, match="layer 'conv1', param 1"):
        compare_params(changed("conv1", 1, 0.0)[1], have)


def test_nan_that_comes_back_is_counted() -> None:
    _, have = changed("conv1", 0, float("nan"))
    assert compare_params(have, have) == {("conv1", 0): 1}


def test_a_lost_layer_and_a_lost_value_are_found() -> None:
    layers = params_of(lenet())
    with pytest.raises(GoldenError, match="layer 'bn1' does not come back"):
        compare_params(layers, [layer for layer in layers if layer.name != "bn1"])
    short = replace(layers[1].params[1], shape=(3,), values=torch.zeros(3))
    cut = [*layers[:1], replace(layers[1], params=(layers[1].params[0], short)), *layers[2:]]
    with pytest.raises(GoldenError, match="layer 'conv1', param 1"):
        compare_params(layers, cut)


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
