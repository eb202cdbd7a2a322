"""Nets broken in one way each: the comparison names the right layer, and the cause where a rule covers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recaffe.golden.diagnosis.divergence import Options, compare_fixture
from recaffe.golden.fixture.fixture import Fixture, ParamName
from recaffe.golden.subject import Subject
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import read_net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
Array = npt.NDArray[Any]
Side = tuple[Subject, Fixture]
Break = Callable[[Subject, Fixture, Path], Side]


@dataclass(frozen=True)
class Mutation:
    """What is broken, and what must be told: the layer, the first rule, and words of the detail or a cause."""

    net: str
    layer: str
    rule: str
    broken: Break
    words: str = ""
    kind: str = "forward"
    until: str = ""


def text(layer: str, old: str, new: str) -> Break:
    """Another text in the line of one layer."""

    def change(subject: Subject, fixture: Fixture, folder: Path) -> Side:
        lines = fixture.prototxt.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(f'layer {{ name: "{layer}"'))
        assert old in lines[at]
        lines[at] = lines[at].replace(old, new, 1)
        return replace(subject, text=read_net("\n".join(lines))), fixture

    return change


def weights(change: Callable[[dict[ParamName, Array]], dict[ParamName, Array]]) -> Break:
    """Other params than the golden's."""

    def changed(subject: Subject, fixture: Fixture, folder: Path) -> Side:
        params = fixture.params | change(fixture.params)
        np.savez(folder / "w.npz", **{f"param/{layer}/{i}": value for (layer, i), value in params.items()})
        return replace(subject, weights=read_weights(folder / "w.npz")), fixture

    return changed


def weight(layer: str, index: int, change: Callable[[Array], Array]) -> Break:
    return weights(lambda params: {(layer, index): change(params[layer, index])})


def swapped(a: ParamName, b: ParamName) -> Break:
    return weights(lambda params: {a: params[b], b: params[a]})


def config(key: str, value: Any) -> Break:
    def configure(base: Config) -> Config:
        return base.with_flat({key: value})

    return lambda subject, fixture, folder: (replace(subject, configure=configure), fixture)


def golden(blob: str, change: Callable[[Array], Array]) -> Break:
    """Golden blobs as another program might have made them."""

    def changed(subject: Subject, fixture: Fixture, folder: Path) -> Side:
        return subject, replace(fixture, tops=fixture.tops | {blob: change(fixture.tops[blob])})

    return changed


def one_more(values: Array) -> Array:
    values = values.copy()
    values.flat[values.size // 2] += 0.5
    return values


def channels_last(values: Array) -> Array:
    return values.reshape(32, 16, 7, 7).transpose(0, 2, 3, 1).reshape(32, 784).copy()


def moved(rois: Array) -> Array:
    rois = rois.copy()
    rois[7, 3] += 3
    return rois


def pool_after_convolution(subject: Subject, fixture: Fixture, folder: Path) -> Side:
    """pool2 and conv3_1 with its ReLU exchanged."""
    net = read_net(fixture.prototxt)
    layers = {layer.name: layer for layer in net.net.layer}
    order = [layer.name for layer in net.net.layer]
    order.remove("pool2")
    order.insert(order.index("relu3_1") + 1, "pool2")
    for name, bottom in (("conv3_1", "conv2_2"), ("pool2", "conv3_1"), ("pool3", "pool2")):
        layers[name].bottom[:] = [bottom]
    copies = [type(layer).FromString(layer.SerializeToString()) for layer in map(layers.__getitem__, order)]
    del net.net.layer[:]
    net.net.layer.extend(copies)
    return replace(subject, text=net), fixture


FRCNN, TRAIN, OHEM = "frcnn_test", "frcnn_train", "rfcn_train_ohem"
HALF = weight("conv1_1", 0, lambda w: w.astype(np.float16).astype(np.float32))
UNIT = weight("bn2a_branch1", 2, lambda w: w * 3)
RGB = weight("conv1_1", 0, lambda w: w[:, ::-1].copy())
TURNED = weight("conv2_1", 0, lambda w: w[:, :, ::-1, ::-1].copy())
TRANSPOSED = weight("fc7", 0, lambda w: w.T.copy())
BOXES = weights(
    lambda params: {
        ("bbox_pred", i): (params["bbox_pred", i].T * np.float32(np.tile([0.1, 0.1, 0.2, 0.2], 4))).T.copy()
        for i in range(2)
    }
)
ORDER = "order of an inner product's inputs"
RGB_RULE = "order of the image's channels"
SWAP = swapped(("res3a_branch2b", 0), ("res3b_branch2b", 0))
NMS, TOP_N = config("TEST.RPN_NMS_THRESH", 0.6), config("TEST.RPN_POST_NMS_TOP_N", 20)
PLAIN = config("TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED", False)
NO_RELU = text("relu3_1", 'type: "ReLU" bottom: "conv3_1"', 'type: "TanH" bottom: "conv3_1"')
TWICE = text("loss_cls", "loss_weight: 1", "loss_weight: 2")
LOSS = text("rpn_loss_cls", "normalize: true", "normalize: false")
LOST, OTHER_ROW = (lambda rois: np.delete(rois, 4, 0)), (lambda rois: rois[[1, 0, *range(2, 30)]])

MUTATIONS = {
    "one weight": Mutation(FRCNN, "conv3_1", "weights", weight("conv3_1", 0, one_more), "output 4, input channel 0"),
    "one of a class": Mutation(FRCNN, "cls_score", "weights", weight("cls_score", 0, one_more), "class 2, input 0"),
    "one of an anchor": Mutation(
        FRCNN, "rpn_bbox_pred", "weights", weight("rpn_bbox_pred", 0, one_more), "anchor #4, dw"
    ),
    "a bias": Mutation(FRCNN, "fc7", "stale bias", weight("fc7", 1, one_more), "is stale"),
    "no bias": Mutation(FRCNN, "conv5_1", "stale bias", weight("conv5_1", 1, np.zeros_like), "it is all zeros"),
    "transposed": Mutation(FRCNN, "fc7", "transposed inner product", TRANSPOSED, "it is transposed"),
    "inputs in another order": Mutation(
        FRCNN, "fc6", ORDER, weight("fc6", 0, channels_last), "rows, columns, channels"
    ),
    "RGB weights": Mutation(FRCNN, "conv1_1", RGB_RULE, RGB, "BGR and RGB"),
    "turned kernels": Mutation(FRCNN, "conv2_1", "turned kernels", TURNED, "turned by 180 degrees"),
    "half floats": Mutation(FRCNN, "conv1_1", "weights", HALF, "it went through half floats"),
    "boxes": Mutation(FRCNN, "bbox_pred", "unnormalised box targets", BOXES, "recaffe port bbox_normalize=True"),
    "swapped weights": Mutation(OHEM, "res3a_branch2b", "swapped weights", SWAP, "swapped", until="res4b"),
    "a scale factor": Mutation(OHEM, "bn2a_branch1", "BatchNorm scale factor", UNIT, "by 3", until="res4b"),
    "a factor": Mutation(
        OHEM, "scale_conv1", "weights", weight("scale_conv1", 0, one_more), "channel 3", until="res4b"
    ),
    "AVE for MAX": Mutation(FRCNN, "pool2", "maximum or average", text("pool2", "MAX", "AVE"), "NET by AVE"),
    "a kernel": Mutation(
        FRCNN, "pool3", "prototxt", text("pool3", "kernel_size: 2", "kernel_size: 4"), "golden 2, NET 4"
    ),
    "a leaky ReLU": Mutation(
        FRCNN,
        "relu2_1",
        "ReLU slope",
        text("relu2_1", '"ReLU"', '"ReLU" relu_param { negative_slope: 0.1 }'),
        "NET's 0.1",
    ),
    "another type": Mutation(FRCNN, "relu3_1", "prototxt", NO_RELU, "type: golden ReLU, NET TanH"),
    "a RoI's scale": Mutation(FRCNN, "roi_pool5", "prototxt", text("roi_pool5", "0.0625", "0.07"), "spatial_scale"),
    "fewer bins": Mutation(
        FRCNN, "roi_pool5", "prototxt", text("roi_pool5", "_h: 7", "_h: 6"), "another shape becomes 0"
    ),
    "no padding": Mutation(FRCNN, "conv4_1", "prototxt", text("conv4_1", "pad: 1", "pad: 0"), "golden 1, NET 0"),
    "other anchors": Mutation(
        FRCNN, "proposal", "prototxt", text("proposal", "[2, 4, 8]", "[2, 4, 9]"), "param_str scales"
    ),
    "an axis": Mutation(
        FRCNN, "cls_prob", "softmax axis", text("cls_prob", '"Softmax"', '"Softmax" softmax_param { axis: 0 }')
    ),
    "swapped layers": Mutation(
        FRCNN, "conv3_1", "prototxt", pool_after_convolution, "bottom: golden pool2, NET conv2_2"
    ),
    "sigma": Mutation(
        TRAIN, "rpn_loss_bbox", "smooth L1 sigma", text("rpn_loss_bbox", "sigma: 3", "sigma: 1"), until="rpn_loss_bbox"
    ),
    "a divisor": Mutation(TRAIN, "rpn_loss_cls", "prototxt", LOSS, "the only value", until="rpn_cls_loss"),
    "eps": Mutation(
        OHEM, "bn2a_branch1", "BatchNorm eps", text("bn2a_branch1", "param {", "param { eps: 0.001"), until="res4b"
    ),
    "a maximum for a sum": Mutation(
        OHEM,
        "res5a",
        "prototxt",
        text("res5a", '"Eltwise"', '"Eltwise" eltwise_param { operation: MAX }'),
        until="res5a",
    ),
    "hard examples": Mutation(
        OHEM, "annotator_detector", "prototxt", text("annotator_detector", "roi_per_img: 32", "roi_per_img: 30")
    ),
    "a loss weight": Mutation(TRAIN, "loss_cls", "prototxt", TWICE, "loss_weight: golden 1, NET 2", "backward"),
    "a frozen layer": Mutation(
        TRAIN,
        "conv5_1",
        "prototxt",
        text("conv5_1", "lr_mult: 1", "lr_mult: 0"),
        "param: golden lr_mult: 1",
        "backward",
    ),
    "NMS": Mutation(FRCNN, "proposal", "prototxt", NMS, "config TEST.RPN_NMS_THRESH: golden 0.7, NET 0.6"),
    "fewer proposals": Mutation(
        FRCNN, "proposal", "prototxt", TOP_N, "shape 30×5 wanted, have 20×5; 20 of 30 RoIs the same"
    ),
    "plain targets": Mutation(TRAIN, "roi-data", "normalised box targets", PLAIN, "NET's plain", until="rois"),
    "an overlap": Mutation(
        TRAIN, "rpn-data", "prototxt", config("TRAIN.RPN_POSITIVE_OVERLAP", 0.5), until="rpn_labels"
    ),
    "a moved RoI": Mutation(FRCNN, "proposal", "", golden("rois", moved), "1 moved, golden's RoI 7 farthest, by 3 px"),
    "a lost RoI": Mutation(FRCNN, "proposal", "", golden("rois", LOST), "1 added (RoI 4:"),
    "RoIs in another order": Mutation(FRCNN, "proposal", "", golden("rois", OTHER_ROW), "golden's RoI 0 as ours 1"),
    "a label": Mutation(TRAIN, "rpn-data", "", golden("rpn_labels", one_more), "anchor (row 3, column 4, #4)"),
    "a delta": Mutation(
        FRCNN, "rpn_bbox_pred", "", golden("rpn_bbox_pred", one_more), "anchor (row 0, column 0, #4), dw"
    ),
    "a score": Mutation(FRCNN, "cls_score", "", golden("cls_score", one_more), "RoI 15, class 0"),
    "a position-sensitive map": Mutation(
        OHEM,
        "rfcn_bbox",
        "",
        golden("rfcn_bbox", one_more),
        "class 1, dx, bin (0, 0), row 0, column 0",
        until="rfcn_bbox",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_net(name: str, tmp_path: Path) -> None:
    mutation = MUTATIONS[name]
    fixture = Fixture.load(NETS / f"{mutation.net}.npz")
    comparison = compare_fixture(
        *mutation.broken(Subject(until=mutation.until), fixture, tmp_path), Options(chain=False)
    )
    blame = comparison.blames[0]
    told = "\n".join([blame.detail, *map(str, blame.causes), *map(str, comparison.params)])
    assert (comparison.verdict.kind, comparison.verdict.layer) == (mutation.kind, mutation.layer), told
    assert [cause.rule for cause in blame.causes][:1] == ([mutation.rule] if mutation.rule else [])
    assert mutation.words in told


def test_there_are_enough() -> None:
    assert len(MUTATIONS) >= 40
