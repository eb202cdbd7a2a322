"""Words for places in the blobs and params of nets, whatever their blobs are called."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from recaffe.golden.diagnosis.language.vocabulary import Vocabulary
from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

NETS = Path(__file__).parents[4] / "golden" / "fixtures" / "nets"


@cache
def vocabulary(name: str, renamed: bool = False) -> Vocabulary:
    fixture = Fixture.load(NETS / f"{name}.npz")
    text = read_net(fixture.prototxt)
    for layer in text.net.layer if renamed else ():
        layer.name = f"layer-{layer.name[::-1]}"
        layer.bottom[:] = [blob[::-1] for blob in layer.bottom]
        layer.top[:] = [blob[::-1] for blob in layer.top]
    return Vocabulary(Subject(text).build(fixture))


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize(
    ("net", "blob", "index", "shape", "words"),
    [
        ("frcnn_test", "conv3_1", (0, 4, 5, 6), (1, 8, 28, 36), "channel 4, row 5, column 6"),
        ("frcnn_test", "rpn_cls_score", (0, 11, 3, 5), (1, 18, 7, 9), "anchor (row 3, column 5, #2), object"),
        ("frcnn_test", "rpn_cls_prob", (0, 1, 41, 5), (1, 2, 63, 9), "anchor (row 6, column 5, #5), object"),
        ("frcnn_test", "rois", (19, 2), (30, 5), "RoI 19, y1"),
        ("frcnn_test", "pool5", (19, 9, 3, 2), (30, 16, 7, 7), "RoI 19, channel 9, bin (3, 2)"),
        ("frcnn_test", "fc7", (19, 20), (30, 32), "RoI 19, output 20"),
        ("frcnn_test", "cls_prob", (19, 3), (30, 4), "RoI 19, class 3"),
        ("frcnn_test", "bbox_pred", (19, 14), (30, 16), "RoI 19, class 3, dw"),
        ("frcnn_train", "rpn_labels", (0, 0, 41, 5), (1, 1, 63, 9), "anchor (row 6, column 5, #5)"),
        ("frcnn_train", "bbox_targets", (31, 9), (48, 16), "RoI 31, class 2, dy"),
        ("frcnn_train", "labels", (31,), (48,), "RoI 31"),
        ("frcnn_train", "gt_boxes", (1, 2), (4, 5), "truth 1, x2"),
        ("frcnn_train", "loss_bbox", (), (), "the only value"),
        ("rfcn_train_ohem", "rfcn_cls", (0, 129, 4, 5), (1, 196, 8, 10), "class 2, bin (4, 3), row 4, column 5"),
        ("rfcn_train_ohem", "rfcn_bbox", (0, 260, 4, 5), (1, 392, 8, 10), "class 1, dy, bin (2, 1), row 4, column 5"),
        ("rfcn_train_ohem", "psroipooled_loc_rois", (6, 4, 3, 2), (9, 8, 7, 7), "RoI 6, class 1, dx, bin (3, 2)"),
        ("rfcn_train_ohem", "per_roi_loss", (6, 0, 0, 0), (9, 1, 1, 1), "RoI 6"),
    ],
)
def test_a_blob(net: str, blob: str, index: tuple[int, ...], shape: tuple[int, ...], words: str, renamed: bool) -> None:
    assert vocabulary(net, renamed).blob(blob[::-1] if renamed else blob, index, shape) == words


@pytest.mark.parametrize(
    ("net", "layer", "number", "index", "words"),
    [
        ("frcnn_test", "conv3_1", 0, (4, 3, 1, 2), "output 4, input channel 3, row 1, column 2"),
        ("frcnn_test", "conv3_1", 1, (4,), "output 4"),
        ("frcnn_test", "rpn_bbox_pred", 0, (23, 9, 0, 0), "anchor #5, dh, input channel 9"),
        ("frcnn_test", "fc6", 0, (20, 521), "output 20, input channel 10, row 4, column 3"),
        ("frcnn_test", "fc7", 0, (20, 21), "output 20, input 21"),
        ("frcnn_test", "bbox_pred", 1, (9,), "class 2, dy"),
        ("rfcn_train_ohem", "rfcn_cls", 0, (129, 25, 0, 0), "class 2, bin (4, 3), input channel 25"),
        ("rfcn_train_ohem", "bn_conv1", 1, (3,), "the variance of channel 3"),
        ("rfcn_train_ohem", "bn_conv1", 2, (0,), "the weight of the sums"),
        ("rfcn_train_ohem", "scale_conv1", 0, (3,), "channel 3"),
        ("frcnn_test", "nobody", 0, (3,), "at [3]"),
    ],
)
def test_a_param(net: str, layer: str, number: int, index: tuple[int, ...], words: str) -> None:
    assert vocabulary(net).param(layer, number, index) == words


def test_rois_are_known() -> None:
    words = vocabulary("frcnn_train")
    assert [blob for blob in ("rpn_rois", "rois", "data", "labels") if words.is_rois(blob)] == ["rpn_rois", "rois"]


def test_filters_of_a_deconvolution_have_their_inputs_first() -> None:
    net = Net(
        read_net(
            """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 5 dim: 6 } } }
            layer { name: "up" type: "Deconvolution" bottom: "x" top: "y"
                    convolution_param { num_output: 2 kernel_size: 3 } }"""
        )
    )
    assert Vocabulary(net).param("up", 0, (1, 0, 2, 1)) == "output 0, input channel 1, row 2, column 1"
