"""Layers in the field numbers of each Caffe."""

from __future__ import annotations

import pytest

from recaffe.prototxt.caffe_pb2 import LayerParameter, NetParameter
from recaffe.prototxt.files.wire.dialects import DIALECTS, DialectError
from recaffe.prototxt.files.wire.message import LENGTH, VARINT, Message
from recaffe.prototxt.text.read import parse


def layer(text: str) -> LayerParameter:
    return parse(f"layer {{ {text} }}", NetParameter()).layer[0]


def fields(data: bytes) -> list[tuple[int, int]]:
    """The numbers and wire types in a message."""
    return [(item.number, item.kind) for item in Message("test", data)]


def encoded(dialect: str, text: str) -> bytes:
    return b"".join(DIALECTS[dialect].encode(layer(text), "net.prototxt:7"))


ROI = "type: 'ROIPooling' roi_pooling_param { pooled_w: 7 }"
SMOOTH = "type: 'SmoothL1Loss' smooth_l1_loss_param { sigma: 3 }"
PSROI = "type: 'PSROIPooling' psroi_pooling_param { spatial_scale: 0.0625 output_dim: 8 group_size: 7 }"
OHEM = "type: 'BoxAnnotatorOHEM' box_annotator_ohem_param { roi_per_img: 5 }"


@pytest.mark.parametrize(
    ("dialect", "text", "number"),
    [
        ("fast-rcnn", ROI, 8266711),
        ("fast-rcnn", SMOOTH, 8266712),
        ("microsoft", ROI, 147),
        ("microsoft", SMOOTH, 148),
        ("microsoft", PSROI, 149),
        ("microsoft", OHEM, 150),
        ("caffe-rfcn", ROI, 8266711),
        ("caffe-rfcn", SMOOTH, 8266712),
        ("caffe-rfcn", PSROI, 10001),
        ("caffe-rfcn", OHEM, 10000),
        ("bvlc", "type: 'Swish' swish_param { beta: 2 }", 147),
        ("bvlc", "type: 'Clip' clip_param { min: -1 max: 2 }", 148),
    ],
)
def test_a_field_has_the_forks_number(dialect: str, text: str, number: int) -> None:
    assert fields(encoded(dialect, text)) == [(2, LENGTH), (number, LENGTH)]


@pytest.mark.parametrize(
    ("dialect", "mode", "number"),
    [
        ("bvlc", "NONE", 3),
        ("microsoft", "NONE", 4),
        ("microsoft", "PRE_FIXED", 3),
        ("caffe-rfcn", "NONE", 4),
        ("caffe-rfcn", "PRE_FIXED", 3),
        ("caffe-rfcn", "BATCH_SIZE", 2),
    ],
)
def test_an_enum_has_the_forks_number(dialect: str, mode: str, number: int) -> None:
    data = encoded(dialect, f"loss_param {{ normalization: {mode} }}")
    (loss,) = Message("test", data)
    (normalization,) = Message("test", data, loss.start, loss.end)
    assert (loss.number, normalization.number, normalization.kind, normalization.value) == (101, 3, VARINT, number)


def test_every_kind_of_field_is_kept() -> None:
    text = """name: "ü/1" type: "Convolution" bottom: "a" bottom: "b" top: "c" loss_weight: 0.1 loss_weight: -2
        param { lr_mult: 0 } param { } propagate_down: true propagate_down: false
        convolution_param { num_output: 300 kernel_size: 3 kernel_size: 5 bias_term: false weight_filler { std: 0.01 } }
        python_param { param_str: "'a': 1\\n" } include { phase: TRAIN stage: "x" }"""
    for dialect in DIALECTS:
        back = LayerParameter.FromString(encoded(dialect, text))  # all of these have the same number everywhere
        assert back == layer(text)


def test_a_layer_is_cut_where_its_blobs_belong() -> None:
    text = "name: 'a' param { lr_mult: 2 } propagate_down: true phase: TEST relu_param { }"
    before, after = DIALECTS["bvlc"].encode(layer(text), "net.prototxt:7")
    assert [number for number, _ in fields(before)] == [1, 6]
    assert [number for number, _ in fields(after)] == [10, 11, 123]


@pytest.mark.parametrize(
    ("dialect", "text", "what"),
    [
        (
            "bvlc",
            ROI,
            "LayerParameter.roi_pooling_param is unknown to bvlc's Caffe (dialect=fast-rcnn or microsoft or",
        ),
        ("fast-rcnn", "type: 'BatchNorm'", "LayerParameter.batch_norm_param is unknown to fast-rcnn's Caffe"),
        ("bvlc", "dropout_param { scale_train: false }", "DropoutParameter.scale_train is unknown to bvlc's Caffe"),
        ("bvlc", "loss_param { normalization: PRE_FIXED }", "LossParameter.PRE_FIXED is unknown to bvlc's Caffe"),
        ("fast-rcnn", "loss_param { normalization: VALID }", "LossParameter.normalization is unknown to fast-rcnn's"),
        (
            "microsoft",
            "permute_param { order: 1 }",
            "permute_param is unknown to microsoft's Caffe (another format can",
        ),
    ],
)
def test_what_a_fork_lacks_is_refused_by_name(dialect: str, text: str, what: str) -> None:
    with pytest.raises(DialectError) as error:
        encoded(dialect, text)
    assert str(error.value).startswith("net.prototxt:7: ")
    assert what in str(error.value)
