"""Bad input ends a command with one line that says what and where, and status 2."""

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.net.net import Net
from recaffe.tools.main import main

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
PROTOTXT, WEIGHTS = NETS / "frcnn_test.prototxt", NETS / "frcnn_test.caffemodel"
SMALL = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 5 } }
"""


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The line on stderr of a summary that is refused."""
    assert main(["summary", *map(str, words)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    line = captured.err
    assert line.startswith("recaffe summary: ")
    assert line.count("\n") == 1
    return line.removeprefix("recaffe summary: ").rstrip("\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Dear all,\nwhere is the net?\n", "{path}:1:1: NetParameter has no field Dear; it has "),
        ("layer { name: 'a' tpye: 'ReLU' }", "{path}:1:19: LayerParameter has no field tpye; did you mean type?"),
        (SMALL.replace('"InnerProduct"', '"InerProduct"'), "{path}:2: layer 'fc' (InerProduct): unknown layer type"),
        (SMALL.replace("num_output: 5", "num_output: -5"), "{path}:2:100: num_output takes a whole number"),
    ],
)
def test_a_prototxt(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    assert refusal(capsys, path).startswith(message.format(path=path))


def test_a_prototxt_that_is_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    picture = NETS.parents[2] / "docs" / "report.png"
    assert refusal(capsys, picture).startswith(f"{picture}: is no prototxt: byte 0 is not UTF-8 text")


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no.prototxt" in refusal(capsys, tmp_path / "no.prototxt")
    assert str(tmp_path) in refusal(capsys, tmp_path)
    assert "no.caffemodel" in refusal(capsys, PROTOTXT, "--weights", tmp_path / "no.caffemodel")
    assert str(tmp_path) in refusal(capsys, PROTOTXT, "--weights", tmp_path)


def test_a_prototxt_as_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, PROTOTXT, "--weights", PROTOTXT) == f"{PROTOTXT}: is text, not a .caffemodel"


def test_weights_of_another_net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(SMALL)
    line = refusal(capsys, path, "--weights", WEIGHTS)
    assert line.startswith(f"{WEIGHTS}: lacks layer(s) 'fc'")
    assert line.endswith("no layer at all matches: weights of another net?")
    line = refusal(capsys, path, "--weights", WEIGHTS, "--allow-missing")
    assert "the net lacks its layer(s) 'conv1_1'" in line
    assert main(["summary", str(path), "--weights", str(WEIGHTS), "--allow-missing", "--allow-unused"]) == 0


def test_weights_of_another_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(PROTOTXT.read_text().replace("num_output: 16 kernel_size: 3", "num_output: 15 kernel_size: 3", 1))
    line = refusal(capsys, path, "--weights", WEIGHTS)
    assert "layer 'conv5_1', blob 0 is 16×12×3×3 in the file, 15×12×3×3 in the net" in line


@pytest.mark.parametrize("size", [997, 50_000, 139_000])
def test_weights_that_are_cut_off(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.caffemodel"
    path.write_bytes(WEIGHTS.read_bytes()[:size])
    assert refusal(capsys, PROTOTXT, "--weights", path).startswith(f"{path}: ")


def test_a_length_that_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lies.caffemodel"
    # Field 100 (layer) of 2^31 + 5 bytes, of which four follow.
    path.write_bytes(b"\xa2\x06\x85\x80\x80\x80\x08" + b"\x0a\x02fc")
    assert refusal(capsys, PROTOTXT, "--weights", path).startswith(f"{path}: ")


def test_nan_in_a_param(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray(WEIGHTS.read_bytes())
    with np.load(NETS / "frcnn_test.npz") as archive:
        start = content.index(archive["param/cls_score/0"].tobytes()) + 3 * 4
    content[start : start + 4] = np.float32(np.nan).tobytes()
    path = tmp_path / "nan.caffemodel"
    path.write_bytes(content)
    line = refusal(capsys, PROTOTXT, "--weights", path)
    assert "1 value(s) of layer 'cls_score', blob 0" in line
    assert main(["summary", str(PROTOTXT), "--weights", str(path), "--allow-nonfinite"]) == 0
    assert "NaN or infinite: 1 value(s) of layer 'cls_score', blob 0" in capsys.readouterr().out


def test_a_config_key_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert "TEST.RPN_NMS_TRESH" in refusal(capsys, PROTOTXT, "--set", "TEST.RPN_NMS_TRESH", "0.5")


def test_a_train_net_without_any_roi_has_no_nan() -> None:
    """No object, and scores that drop every proposal: the head runs on nothing, its losses are zero."""
    from recaffe.golden.fixture import Fixture
    from recaffe.prototxt.text.config import Config
    from recaffe.prototxt.text.read import read_net

    fixture = Fixture.load(NETS / "frcnn_train.npz")
    net = Net(read_net(fixture.prototxt), "TRAIN", config=Config.default().with_flat(fixture.config))
    net.fill()
    blobs = fixture.bottoms | {"gt_boxes": np.zeros((0, 5), np.float32)}
    losses = net(blobs)
    assert all(loss.isfinite() for loss in losses.values())
    blobs["im_info"] = np.array([[112, 144, 100]], np.float32)  # no box is 16 * 100 pixels wide
    losses = net(blobs, keep="all")
    net.backward()
    assert net.blobs["rois"].shape == (0, 5)
    assert losses["loss_cls"] == losses["loss_bbox"] == 0
    assert all(p.grad.isfinite().all() for p in net.parameters() if p.grad is not None)
