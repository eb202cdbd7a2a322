"""Classes: every place that counts them, and the rows of those that go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.change_classes import ClassChange, Classes, change_classes
from recaffe.prototxt.surgery.operation import Operation, SurgeryError
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.param_str import read_param_str
from recaffe.prototxt.text.read import NetText, read_net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
OLD = Classes.of("cat,dog,car")
RFCN = """name: "r"
layer { name: "data" type: "Input" top: "data" top: "rois" input_param {
        shape { dim: 1 dim: 5 dim: 6 dim: 8 } shape { dim: 3 dim: 5 } } }
layer { name: "maps" type: "Convolution" bottom: "data" top: "m" convolution_param { num_output: 12 kernel_size: 1 } }
layer { name: "where" type: "Convolution" bottom: "data" top: "w" convolution_param { num_output: 48 kernel_size: 1 } }
layer { name: "pool" type: "PSROIPooling" bottom: "m" bottom: "rois" top: "pool" psroi_pooling_param {
        spatial_scale: 1 output_dim: 3 group_size: 2 } }
layer { name: "mean" type: "Pooling" bottom: "pool" top: "score" pooling_param {
        pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "pool_w" type: "PSROIPooling" bottom: "w" bottom: "rois" top: "pool_w" psroi_pooling_param {
        spatial_scale: 1 output_dim: 12 group_size: 2 } }
layer { name: "mean_w" type: "Pooling" bottom: "pool_w" top: "w_pre" pooling_param {
        pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "prob" type: "Softmax" bottom: "score" top: "p_pre" }
layer { name: "p" type: "Reshape" bottom: "p_pre" top: "p" reshape_param { shape { dim: -1 dim: 3 } } }
layer { name: "b" type: "Reshape" bottom: "w_pre" top: "b" reshape_param { shape { dim: -1 dim: 12 } } }
"""


def row_ids(operation: Operation, name: str) -> torch.Tensor:
    """Fill a layer so that each number tells its row."""
    for param in operation.net.layer(name).params:
        shape = (-1, *[1] * (param.dim() - 1))
        param.detach().copy_(torch.arange(1.0, len(param) + 1).view(shape).expand_as(param))
    return operation.net.layer(name).params[1]


def test_kept_rows_are_the_old_ones(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    scores, boxes = row_ids(frcnn, "cls_score"), row_ids(frcnn, "bbox_pred")
    change_classes(frcnn, ClassChange(Classes.of("person,car,cat,wolf"), OLD, ["dog=wolf"]))
    net = finish(frcnn)
    assert net.layer("cls_score").params[1].tolist() == [1, 0, 4, 2, 3]
    have = net.layer("bbox_pred").params[1].view(5, 4)
    assert torch.equal(have[[0, 2, 3, 4]], boxes.view(4, 4)[[0, 3, 1, 2]])
    assert not have[1].any()
    weight = net.layer("cls_score").params[0]
    assert torch.equal(weight[2], scores[3].expand(32))
    assert weight[1].unique().numel() == 32
    assert net.blob_shapes["cls_prob"] == (1, 5)
    assert frcnn.changes["cls_score"] == [
        "num_output 4 -> 5",
        "param 0 was 4×32, is 5×32",
        "param 1 was 4, is 5",
    ]
    assert frcnn.kept == [
        "class 0 '__background__' was 0 '__background__'",
        "class 2 'car' was 3 'car'",
        "class 3 'cat' was 1 'cat'",
        "class 4 'wolf' was 2 'dog'",
    ]
    assert frcnn.untrained == {
        "cls_score": "classes 1 'person' (filled by gaussian 0.3, constant 0)",
        "bbox_pred": "classes 1 'person' (filled by gaussian 0.05, constant 0)",
    }


def test_new_rows_are_the_same_each_time(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    change_classes(frcnn, ClassChange(Classes.of("7")))
    first, second = (finish(frcnn).layer("cls_score").params[0].detach() for _ in range(2))
    assert torch.equal(first, second)


def test_position_sensitive_maps(start: Callable[[str], Operation], finish: Callable[[Operation], Net]) -> None:
    operation = start(RFCN)
    row_ids(operation, "maps")
    row_ids(operation, "where")
    change_classes(operation, ClassChange(Classes.of("4"), keep=["2=1"]))
    net = finish(operation)
    assert net.layer("maps").params[1].view(4, 4)[:2].tolist() == [[1, 2, 3, 4], [9, 10, 11, 12]]
    assert net.layer("where").params[1].view(4, 16)[1].tolist() == list(range(33, 49))
    assert {name: net.blob_shapes[name] for name in "mwpb"} == {
        "m": (1, 16, 6, 8),
        "w": (1, 64, 6, 8),
        "p": (3, 4),
        "b": (3, 16),
    }


def test_boxes_for_any_class_stay(start: Callable[[str], Operation], finish: Callable[[Operation], Net]) -> None:
    operation = start(RFCN.replace("48", "32").replace("12 group", "8 group").replace("dim: 12", "dim: 8"))
    change_classes(operation, ClassChange(Classes.of("5")))
    net = finish(operation)
    assert (net.blob_shapes["p"], net.blob_shapes["b"]) == ((3, 5), (3, 8))
    assert operation.notes == ["no layer has 4·3 outputs: boxes are for any class, and stay as they are"]


def test_the_config_says_whether_two_boxes_are_for_two_classes() -> None:
    text = RFCN.replace("12 kernel", "8 kernel").replace("48", "32").replace("output_dim: 3", "output_dim: 2")
    text = text.replace("dim: 3 }", "dim: 2 }").replace("12 group", "8 group").replace("dim: 12", "dim: 8")
    for agnostic, boxes in ((True, 8), (False, 16)):
        config = Config.default("rfcn").with_flat({"TEST.AGNOSTIC": agnostic})
        net = Net(read_net(text), config=config)
        net.fill()
        operation = Operation(net, read_net(text).net)
        change_classes(operation, ClassChange(Classes.of("4")))
        assert operation.finish(lambda message: Net(NetText(message))).blob_shapes["b"] == (3, boxes)
        assert [note.startswith("boxes were taken") for note in operation.notes] == [not agnostic]


@pytest.mark.parametrize(
    ("name", "counted"),
    [("frcnn_train", {"input-data": 6, "roi-data": 6}), ("rfcn_train_ohem", {"input-data": 6, "roi-data": 2})],
)
def test_train_nets_run_on_with_the_kept_scores(name: str, counted: dict[str, int]) -> None:
    with np.load(NETS / f"{name}.npz") as archive:
        fixture = {key: archive[key] for key in archive if not key.startswith(("top", "diff", "param_diff"))}
    text = read_net(str(fixture["prototxt"]))
    config = Config.default(str(fixture["variant"]))
    flat = Config.default("rfcn").with_flat({"TRAIN.AGNOSTIC": True, "TRAIN.BATCH_SIZE": -1})
    config = flat if name.startswith("rfcn") else config

    def build(net: NetText) -> Net:
        return Net(net, "TRAIN", config=config, seed=5)

    old = build(text)
    old.load(NETS / f"{name}.npz")
    operation = Operation(old, text.net)
    change_classes(operation, ClassChange(Classes.of("6"), keep=["1=4", "2=5", "3=1"]))
    new = operation.finish(lambda message: build(NetText(message)))
    assert {
        layer.name: read_param_str(layer)["num_classes"] for layer in operation.message.layer if layer.name in counted
    } == counted
    fed = {key.removeprefix("bottom/"): value for key, value in fixture.items() if key.startswith("bottom/")}
    blobs = []
    for net in (old, new):
        net.rng.seed(5)
        net(fed, keep="all")
        blobs.append(net.blobs["cls_score"].flatten(1))
    torch.testing.assert_close(blobs[1][:, [0, 4, 5, 1]], blobs[0], rtol=0, atol=1e-5)
    assert new.loss.isfinite()


def test_a_table_of_classes_and_a_scale_behind_a_head(
    start: Callable[[str], Operation], finish: Callable[[Operation], Net]
) -> None:
    operation = start(
        """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 7 } } }
        layer { name: "score" type: "InnerProduct" bottom: "x" top: "s" inner_product_param {
                num_output: 3 transpose: true } }
        layer { name: "scale" type: "Scale" bottom: "s" top: "s" scale_param { bias_term: true } }
        layer { name: "prob" type: "Softmax" bottom: "s" top: "p" }
        layer { name: "best" type: "ArgMax" bottom: "p" top: "best" }
        layer { name: "words" type: "Embed" bottom: "best" top: "words" embed_param {
                input_dim: 3 num_output: 5 bias_term: false } }
        """
    )
    change_classes(operation, ClassChange(Classes.of("4"), keep=["1=3", "2=1"]))
    net, places, sources = finish(operation), [0, 1, 3], [0, 2, 1]
    for name, axis in (("score", 1), ("scale", 0), ("words", 0)):
        old, new = (n.layer(name).params[0] for n in (operation.net, net))
        assert torch.equal(new.index_select(axis, torch.tensor(places)), old.index_select(axis, torch.tensor(sources)))
        assert new.shape[axis] == 4


def test_layers_of_the_other_phase_change_as_well(start: Callable[[str], Operation]) -> None:
    text = """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 7 } } }
        layer { name: "a" type: "InnerProduct" bottom: "x" top: "s" inner_product_param { num_output: 3 }
                include { phase: TEST } }
        layer { name: "b" type: "InnerProduct" bottom: "x" top: "s" inner_product_param { num_output: 3 }
                include { phase: TRAIN } }
        layer { name: "p" type: "Softmax" bottom: "s" top: "p" }
        """
    operation = start(text)
    change_classes(operation, ClassChange(Classes.of("5")))
    assert [layer.inner_product_param.num_output for layer in operation.message.layer[1:3]] == [5, 5]
    assert operation.notes == ["layer 'b' is not of phase TEST: its prototxt changed, it has no params"]


def test_an_rpn_alone_has_a_count_of_classes_alone() -> None:
    text = """layer { name: "in" type: "Python" top: "data" top: "im_info" top: "gt_boxes" python_param {
              module: "roi_data_layer.layer" layer: "RoIDataLayer" param_str: "'num_classes': 21" } }"""
    operation = Operation(Net(read_net(text), "TRAIN"), read_net(text).net)
    change_classes(operation, ClassChange(Classes.of("4"), OLD))
    assert operation.changes == {"in": ["num_classes 21 -> 4"]}
    assert operation.notes == ["no head here scores classes: only num_classes was changed"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            ClassChange(Classes.of("a,b"), OLD, ["doog=a"]),
            "no class 'doog'; did you mean 'dog'? (there are __background__, cat, dog, car)",
        ),
        (ClassChange(Classes.of("5"), None, ["4=1"]), "no class '4' (they are 0 to 3)"),
        (ClassChange(Classes.of("5"), None, ["3"]), "keep=3: expected OLD=NEW, such as bike=bicycle or 15=1"),
        (ClassChange(Classes.of("5"), None, ["3=1", "2=1"]), "keep=2=1: class 1 is old class 3 already"),
        (ClassChange(Classes.of("5"), None, ["3=0"]), "class 0 stays the background: keep another"),
        (
            ClassChange(Classes.of("a,b"), Classes.of("a,b")),
            "the net has 4 classes with the background, not 3: old=a, b",
        ),
        (ClassChange(Classes.of("1")), "1 class(es) are too few: the background is one"),
    ],
)
def test_what_does_not_fit_is_refused(change: ClassChange, line: str, frcnn: Operation) -> None:
    with pytest.raises(SurgeryError) as refused:
        change_classes(frcnn, change)
    assert str(refused.value) == line


def test_names() -> None:
    assert Classes.of(" traffic light, car").names == ("__background__", "traffic light", "car")
    assert Classes.of("background,car").names == ("__background__", "car")
    with pytest.raises(SurgeryError, match="classes 'a,,b': each needs a name of its own"):
        Classes.of("a,,b")
    with pytest.raises(SurgeryError, match="classes 'a,a'"):
        Classes.of("a,a")
