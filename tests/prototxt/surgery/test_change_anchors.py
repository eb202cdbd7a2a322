"""Anchors: the RPN's heads, the Reshape of their probabilities and every param_str."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.layers.boxes.anchors import caffe_anchors
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.change_anchors import change_anchors
from recaffe.prototxt.surgery.operation import Operation, SurgeryError
from recaffe.prototxt.text.param_str import read_param_str
from recaffe.prototxt.text.read import NetText, read_net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
CARRIED = """name: "step"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 5 dim: 2 dim: 3 } } }
layer { name: "rpn_cls_score" type: "Convolution" bottom: "x" top: "s" convolution_param {
        num_output: 18 kernel_size: 1 } }
layer { name: "rpn_bbox_pred" type: "Convolution" bottom: "x" top: "b" convolution_param {
        num_output: 36 kernel_size: 1 } }
layer { name: "q" type: "Silence" bottom: "s" bottom: "b" }
"""


def test_kept_anchors_have_their_channels(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    old = caffe_anchors(scales=(2, 4, 8))
    new = caffe_anchors(ratios=(2, 1), scales=(8, 1, 4))
    change_anchors(frcnn, scales=(8, 1, 4), ratios=(2, 1))
    net = finish(frcnn)
    scores, boxes = (net.layer(name).params[0] for name in ("rpn_cls_score", "rpn_bbox_pred"))
    was_scores, was_boxes = (frcnn.net.layer(name).params[0] for name in ("rpn_cls_score", "rpn_bbox_pred"))
    kept = 0
    for i, anchor in enumerate(new):
        for k in [k for k in range(9) if torch.equal(old[k], anchor)]:
            kept += 1
            assert torch.equal(scores[[i, 6 + i]], was_scores[[k, 9 + k]])
            assert torch.equal(boxes[4 * i : 4 * i + 4], was_boxes[4 * k : 4 * k + 4])
    assert kept == len(frcnn.kept) == 4
    assert frcnn.untrained["rpn_bbox_pred"] == (
        "anchors ratio 2 scale 1; ratio 1 scale 1 (filled by msra, gaussian 0.05)"
    )
    proposal = next(layer for layer in frcnn.message.layer if layer.name == "proposal")
    assert read_param_str(proposal) == {"feat_stride": 16, "scales": [8, 1, 4], "ratios": [2, 1]}
    assert net.blob_shapes["rpn_cls_prob_reshape"][1] == 12
    assert frcnn.notes == ["py-faster-rcnn's own layers take no ratios and would go on with 0.5, 1 and 2"]


def test_one_anchor_and_back(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    """With one anchor the 2 of the two-way Reshape is no count of channels."""
    change_anchors(frcnn, scales=[4], ratios=[1])
    net = finish(frcnn)
    assert net.blob_shapes["rpn_cls_score_reshape"][1] == 2
    again = Operation(net, frcnn.message)
    change_anchors(again, scales=[4, 2])
    more = finish(again)
    assert more.blob_shapes["rpn_cls_score_reshape"][1] == 2
    assert more.blob_shapes["rpn_cls_prob_reshape"][1] == 4
    with torch.no_grad():
        more(data=np.ones((1, 3, 96, 144), np.float32), im_info=np.float32([[96, 144, 1]]))


@pytest.mark.parametrize("name", ["frcnn_train", "rfcn_train_ohem"])
def test_train_nets(name: str) -> None:
    with np.load(NETS / f"{name}.npz") as archive:
        text = read_net(str(archive["prototxt"]))
        fed = {key.removeprefix("bottom/"): archive[key] for key in archive if key.startswith("bottom/")}
    old = Net(text, "TRAIN")
    old.load(NETS / f"{name}.npz")
    operation = Operation(old, text.net)
    change_anchors(operation, scales=(4, 8, 16, 32))
    net = operation.finish(lambda message: Net(NetText(message), "TRAIN", config=old.config))
    made = [layer for layer in operation.message.layer if "feat_stride" in layer.python_param.param_str]
    assert [read_param_str(layer)["scales"] for layer in made] == [[4, 8, 16, 32]] * 2
    if name == "frcnn_train":
        net(fed, keep="all")
        assert net.blobs["rpn_bbox_targets"].shape[1] == net.blobs["rpn_bbox_pred"].shape[1] == 48
        assert net.loss.isfinite()
    assert len(operation.kept) == 6


def test_heads_that_are_only_carried_along(
    start: Callable[[str], Operation], finish: Callable[[Operation], Net]
) -> None:
    operation = start(CARRIED)
    change_anchors(operation, scales=(8, 16))
    shapes = finish(operation).blob_shapes
    assert (shapes["s"], shapes["b"]) == ((1, 12, 2, 3), (1, 24, 2, 3))
    odd = start(CARRIED.replace("36", "32"))
    with pytest.raises(SurgeryError) as refused:
        change_anchors(odd, scales=(8, 16))
    line = (
        "layer 'rpn_bbox_pred' has 32 outputs, not 4 for each of 9 anchors: scales and ratios are those of another net"
    )
    assert str(refused.value) == line


def test_what_does_not_fit_is_refused(frcnn: Operation, start: Callable[[str], Operation]) -> None:
    with pytest.raises(SurgeryError, match=r"^scales are different numbers above 0, not 4 4$"):
        change_anchors(frcnn, scales=(4, 4))
    with pytest.raises(SurgeryError, match=r"^ratios are different numbers above 0, not 0 1$"):
        change_anchors(frcnn, ratios=(0, 1))
    read = start(CARRIED.replace('bottom: "s" ', ""))
    change_anchors(read, scales=(8, 16))
    assert list(read.changes) == ["rpn_bbox_pred"]
    with pytest.raises(SurgeryError, match=r"^net 'step' has no anchors: looked for what the Python layers"):
        change_anchors(start(CARRIED[: CARRIED.index('layer { name: "q"')]), scales=(8, 16))


def test_layers_with_other_anchors_are_refused() -> None:
    with np.load(NETS / "frcnn_train.npz") as archive:
        text = read_net(str(archive["prototxt"]).replace("[2, 4, 8]", "[2, 4, 16]", 1))
    operation = Operation(Net(text, "TRAIN"), text.net)
    with pytest.raises(SurgeryError) as refused:
        change_anchors(operation, ratios=(1,))
    start = "layers 'rpn-data' and 'proposal' have other anchors: "
    assert str(refused.value) == f"{start}ratios 0.5, 1, 2 and 0.5, 1, 2, scales 2, 4, 16 and 2, 4, 8"
