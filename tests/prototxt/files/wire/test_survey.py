"""Files of every fork, written by hand on the wire: all are read, and told apart where their fields differ."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.files.wire.mapped_file import MappedFile
from recaffe.prototxt.files.wire.survey import Survey, survey

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
ALL = ["bvlc", "fast-rcnn", "microsoft", "caffe-rfcn", "ssd"]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def message(number: int, *content: bytes) -> bytes:
    data = b"".join(content)
    return varint(number << 3 | 2) + varint(len(data)) + data


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def float32(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


BLOB = message(7, message(7, message(1, b"\x02")), message(5, struct.pack("<2f", 1.5, -2)))
ROI = (number(1, 6), number(2, 7), float32(3, 0.0625))
MARK = {
    "Microsoft's ROIPooling": (message(147, *ROI), "147 roi_pooling_param", ["microsoft"]),
    "Microsoft's ROIPooling, half set": (message(147, number(2, 7)), "147 roi_pooling_param", ["microsoft"]),
    "BVLC's Swish": (message(147, float32(1, 0.5)), "147 swish_param", ["bvlc"]),
    "either's, empty": (message(147), "147 swish_param or roi_pooling_param", ["bvlc", "microsoft"]),
    "Microsoft's SmoothL1Loss": (message(148, float32(1, 3)), "148 smooth_l1_loss_param", ["microsoft"]),
    "BVLC's Clip": (message(148, float32(1, -1), float32(2, 1)), "148 clip_param", ["bvlc"]),
    "Microsoft's PSROIPooling": (
        message(149, float32(1, 0.0625), number(2, 21), number(3, 7)),
        "149 psroi_pooling_param",
        ["microsoft"],
    ),
    "Microsoft's BoxAnnotatorOHEM": (message(150, number(1, 128)), "150 box_annotator_ohem_param", ["microsoft"]),
    "caffe-rfcn's BoxAnnotatorOHEM": (message(10000, number(1, 128)), "10000 box_annotator_ohem_param", ["caffe-rfcn"]),
    "caffe-rfcn's PSROIPooling": (
        message(10001, float32(1, 0.0625), number(2, 21), number(3, 7)),
        "10001 psroi_pooling_param",
        ["caffe-rfcn"],
    ),
    "Fast R-CNN's ROIPooling": (message(8266711, *ROI), "8266711 roi_pooling_param", ["fast-rcnn", "caffe-rfcn"]),
    "SSD's Permute": (message(202, number(1, 0), number(1, 2)), "202 permute_param", ["ssd"]),
    "SSD's PriorBox": (message(203, float32(1, 30), float32(3, 2)), "203 prior_box_param", ["ssd"]),
    "SSD's Normalize": (message(206, number(1, 0)), "206 norm_param", ["ssd"]),
    "a dilated convolution": (
        message(106, number(18, 2)),
        "106 convolution_param",
        ["bvlc", "microsoft", "caffe-rfcn", "ssd"],
    ),
    "a Dropout of R-CNN's": (
        message(108, number(2, 0)),
        "108 dropout_param",
        ["fast-rcnn", "microsoft", "caffe-rfcn"],
    ),
    "a BatchNorm": (message(139, number(1, 1)), "139 batch_norm_param", ["bvlc", "microsoft", "caffe-rfcn", "ssd"]),
    "a number of nobody's": (message(7777, b"\xff\xff\xff"), "7777", []),
    "nonsense under a number of all": (message(106, b"\xff\xff\xff"), "106", []),
}


def file_with(path: Path, mark: bytes) -> Path:
    plain = message(100, message(1, b"ip"), message(2, b"InnerProduct"), BLOB, message(117, number(1, 2)))
    path.write_bytes(message(1, b"net") + plain + message(100, message(1, b"odd"), message(2, b"Odd"), mark, BLOB))
    return path


def look(path: Path) -> Survey:
    return survey(MappedFile(path))


@pytest.mark.parametrize("mark", MARK)
def test_foreign_numbers_are_read_and_told(mark: str, tmp_path: Path) -> None:
    content, sign, forks = MARK[mark]
    path = file_with(tmp_path / "a.caffemodel", content)
    assert [(layer.name, layer.type) for layer in read_weights(path).layers] == [
        ("ip", "InnerProduct"),
        ("odd", "Odd"),
    ]
    assert [layer.blobs[0].tensor().tolist() for layer in read_weights(path).layers] == [[1.5, -2]] * 2
    found = look(path)
    assert found.signs == {sign: forks}
    assert found.forks == set(forks)


def test_fields_of_all_forks_tell_none_apart(tmp_path: Path) -> None:
    pooling = message(121, number(1, 1), number(2, 3), number(3, 2))
    found = look(file_with(tmp_path / "a.caffemodel", pooling + message(6, float32(3, 1)) + number(10, 1)))
    assert found.signs == {}
    assert found.forks == set(ALL)
    assert (found.generation, found.phase, found.encodings) == ("V2", "TEST", set())


def test_two_forks_in_one_file_leave_none(tmp_path: Path) -> None:
    content = MARK["BVLC's Clip"][0] + MARK["SSD's Permute"][0]
    found = look(file_with(tmp_path / "a.caffemodel", content))
    assert found.signs == {"148 clip_param": ["bvlc"], "202 permute_param": ["ssd"]}
    assert found.forks == set()


@pytest.mark.parametrize(
    ("name", "generation", "phase", "encodings"),
    [
        ("formats/lenet.caffemodel", "V2", "TEST", set()),
        ("formats/wire_unpacked.caffemodel", "V2", "", {"values one by one"}),
        ("formats/wire_diff.caffemodel", "V2", "", {"diffs"}),
        ("formats/wire_double.caffemodel", "V2", "", {"double_data"}),
        ("formats/wire_legacy.caffemodel", "V2", "", {"legacy dims"}),
        ("upgrade/v0_weights.old.caffemodel", "V0", "", {"legacy dims"}),
        ("upgrade/v1_weights.old.caffemodel", "V1", "", {"legacy dims"}),
    ],
)
def test_what_caffe_wrote(name: str, generation: str, phase: str, encodings: set[str]) -> None:
    found = look(FIXTURES / name)
    assert (found.generation, found.phase, found.encodings) == (generation, phase, encodings)


def test_half_floats_of_opencv(tmp_path: Path) -> None:
    half = message(7, message(7, message(1, b"\x02")), number(10, 2), message(12, struct.pack("<2e", 1.5, -2)))
    path = tmp_path / "a.caffemodel"
    path.write_bytes(message(100, message(1, b"ip"), half))
    assert look(path).encodings == {"raw_data"}
    (layer,) = read_weights(path).layers
    assert (layer.blobs[0].dtype, layer.blobs[0].tensor().tolist()) == ("float16", [1.5, -2])
