import json
from pathlib import Path

import pytest

from recaffe.prototxt.text.read import print_text
from recaffe.prototxt.zoo.catalog import make_net
from recaffe.tools.main import main

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"


@pytest.fixture
def vgg16(tmp_path: Path) -> str:
    path = tmp_path / "vgg16.prototxt"
    path.write_text(print_text(make_net("vgg16")))
    return str(path)


def summary(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["summary", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_the_seed_notes_shapes(vgg16: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = summary(capsys, vgg16, "--input", "data=1,3,600,1000")
    blobs, params = result["blobs"], result["params"]
    assert isinstance(blobs, dict)
    assert isinstance(params, dict)
    assert blobs["rpn/output"] == [1, 512, 38, 63]
    assert blobs["rpn_cls_score"] == [1, 18, 38, 63]
    assert blobs["rpn_bbox_pred"] == [1, 36, 38, 63]
    assert blobs["rpn_cls_score_reshape"] == [1, 2, 342, 63]
    assert blobs["rois"] == [1, 5]
    assert blobs["fc7_drop7_0_split_1"] == [1, 4096]
    assert params["fc6"] == [[4096, 25088], [4096]]
    assert params["bbox_pred"] == [[84, 4096], [84]]
    # 3x3 convolutions on 600x1000, 300x500, 150x250, 75x125 and 38x63, the RPN's and one RoI's head.
    assert result["multiply_adds"] == 189_703_575_552


def test_a_train_net_needs_no_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "train.prototxt"
    path.write_text(
        """layer { name: "input-data" type: "Python" top: "data" top: "im_info" top: "gt_boxes" python_param {
             module: "roi_data_layer.layer" layer: "RoIDataLayer" param_str: "'num_classes': 4" } }
           layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
                   pooling_param { pool: MAX kernel_size: 3 stride: 2 } }"""
    )
    result = summary(capsys, str(path), "--phase", "TRAIN")
    assert result["blobs"] == {
        "data": [1, 3, 600, 1000],
        "im_info": [1, 3],
        "gt_boxes": [1, 4],
        "pool": [1, 3, 300, 500],
    }


def test_the_table_and_the_weights_report(capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(NETS / "frcnn_test.prototxt"), "--weights", str(NETS / "frcnn_test.caffemodel")]
    assert main(["summary", *words]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("tiny_frcnn (TEST): ")
    (row,) = [line.split() for line in out if line.startswith("conv2_1 ")]
    assert row == ["conv2_1", "Convolution", "conv2_1", "1×6×48×72", "6×4×3×3", "6", "746k"]
    assert "params (" in out[-2]
    assert "14 layer(s) matched, 28 param(s) read" in out[-1]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("data=1,3,600", "{net}: layer 'input' (Input): blob 'data' has the axes 1×3×224×224, not 1×3×600"),
        ("date=1,3,600,1000", "net 'VGG_ILSVRC_16_layers' takes no blob 'date'"),
        ("data", "--input data: expected BLOB=N,C,H,W, such as data=1,3,600,1000"),
    ],
)
def test_a_wrong_input(vgg16: str, shape: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", vgg16, "--input", shape]) == 2
    assert capsys.readouterr().err == f"recaffe summary: {message.format(net=vgg16)}\n"


def test_what_computing_in_place_changes_in_caffe_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(
        'force_backward: true input: "x" input_shape { dim: 1 }\n'
        'layer { name: "t" type: "TanH" bottom: "x" top: "y" }\n'
        'layer { name: "e" type: "Exp" bottom: "y" top: "y" }\n'
    )
    *_, note = summary(capsys, str(path))["notes"]  # type: ignore[misc]
    assert "layer 't' (TanH): Caffe computes its gradient from what 'e' (Exp) left in 'y'" in note
    assert main(["summary", str(path)]) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == f"note: {note}"
    assert told.endswith("(recaffe train --faithful-inplace computes Caffe's)")


def test_bytes_that_are_not_utf8_are_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gbk.prototxt"
    path.write_bytes("# 卷积\nlayer { name: 'x' type: 'Input' top: 'x' }".encode("gbk"))
    assert main(["summary", str(path)]) == 0
    note = f"note: {path}: line 1: bytes that are not UTF-8, in strings read as \\xNN"
    assert capsys.readouterr().out.splitlines()[-1] == note
