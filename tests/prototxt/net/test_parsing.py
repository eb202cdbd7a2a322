"""Odd nets against what Caffe made of them: the same graph where it builds, a refusal where it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.net.gradients import with_needs
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FOLDER = Path(__file__).parents[3] / "golden" / "fixtures" / "parsing"
CASES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
BUILT = [name for name, case in CASES.items() if case["builds"]]
REFUSED = [name for name, case in CASES.items() if not case["builds"]]

LAXER = {
    "loss_weight_two_tops": "likewise, with a weight for each top",
    "loss_two_tops": "a loss with its probabilities as a second top simply works: the loss counts, they do not",
}
"""Nets that Caffe refuses and that build here."""


def build(name: str) -> Net:
    case = CASES[name]
    text = read_net(FOLDER / f"{name}.prototxt")
    net = Net(text, case["phase"], level=case["level"], stages=case["stages"], seed=7)
    net.fill()
    return net


def test_every_case_is_here():
    assert (len(BUILT), len(REFUSED)) == (61, 50)


@pytest.mark.parametrize("name", BUILT)
def test_graph_is_caffes(name):
    case, net = CASES[name], build(name)
    # Told by a log: of a name with a line break it shows the last line.
    # It tells what needs a backward before `force_backward` has its say.
    told = ((step.node.name.splitlines() or [""], step.needs.backward) for step in with_needs(net.steps))
    runs = [(lines[-1], need) for lines, need in told]
    sharing = [
        f"Sharing parameters '{param.spec.name}' owned by layer '{param.layers[0]}', param index {param.places[0][1]}"
        for param in net.param_list
        for _ in param.places[1:]
    ]
    assert [[node.name, node.type] for node in net.nodes] == case["layers"]
    assert [list(node.bottoms) for node in net.nodes] == case["bottoms"]
    assert [list(node.tops) for node in net.nodes] == case["tops"]
    assert {blob: list(shape) for blob, shape in net.blob_shapes.items()} == case["blobs"]
    assert {layer: [list(s) for s in shapes] for layer, shapes in net.param_shapes.items()} == case["params"]
    assert list(net.inputs) == case["inputs"]
    assert list(net.outputs) == case["outputs"]
    assert net.loss_weights == case["loss_weights"]
    assert [layer for layer, need in runs if need] == case["needs_backward"]
    assert [layer for layer, need in runs if not need] == case["no_backward"]
    assert sharing == case["sharing"]


@pytest.mark.parametrize("name", [name for name in BUILT if "nonzero_diff" in CASES[name]])
def test_diffs_reach_what_they_reach_in_caffe(name):
    net, rng = build(name), np.random.RandomState(11)
    for param in net.parameters():
        param.data = torch.from_numpy(rng.standard_normal(param.shape).astype(np.float32))
    feed = {blob: rng.standard_normal(net.blob_shapes[blob]) for blob in net.inputs}
    feed |= {blob: rng.randint(0, 3, net.blob_shapes[blob]) for blob in net.inputs if "label" in blob}
    net(feed, keep="all")
    if net.loss_weights:
        net.backward()
    expected = CASES[name]["nonzero_diff"]
    blobs = [blob for blob in net.blob_shapes if blob in net.diffs and net.diffs[blob].any()]
    grads = {
        f"{node.name}/{i}": getattr(layer, str(i)).grad
        for node, layer in ((step.node, step.layer) for step in net.steps)
        for i in range(len(layer.param_shapes))
    }
    assert sorted(blobs) == sorted(expected["blobs"])
    assert sorted(key for key, grad in grads.items() if grad is not None and grad.any()) == sorted(expected["params"])


@pytest.mark.parametrize("name", sorted(set(REFUSED) - set(LAXER)))
def test_what_caffe_refuses_is_refused_in_one_line(name):
    with pytest.raises(PrototxtError) as caught:
        build(name)
    assert f"{name}.prototxt" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LAXER)
def test_laxer_than_caffe(name):
    build(name)
