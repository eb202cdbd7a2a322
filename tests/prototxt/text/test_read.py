"""Prototxt text: what is read and how, what is refused and in which words, what is printed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.caffe_pb2 import BlobProto, Datum, LayerParameter, NetParameter, PoolingParameter, SolverParameter
from recaffe.prototxt.text.read import parse, print_text, read_net, read_solver
from recaffe.prototxt.text.tokens import TextError
from recaffe.prototxt.text.upgrade_v0 import UpgradeError

UPGRADE = Path(__file__).parents[3] / "golden" / "fixtures" / "upgrade"


def net(text: str) -> NetParameter:
    return parse(text, NetParameter(), "n")


def layer(text: str) -> LayerParameter:
    return parse(text, LayerParameter(), "n")


@pytest.mark.parametrize(
    ("text", "dims"),
    [
        ("dim: 2 dim: 3", [2, 3]),
        ("dim: [2, 3]", [2, 3]),
        ("dim: [] dim: 5", [5]),
        ("dim: 2; dim: 3, dim:5", [2, 3, 5]),
        ("dim: 010 dim: 0x1F dim: 0", [8, 31, 0]),
        ("dim: -7 dim: - 7 dim: -0x10 dim: -010", [-7, -7, -16, -8]),
        ("dim: 9223372036854775807 dim: -9223372036854775808", [2**63 - 1, -(2**63)]),
        ("dim\n:\n2 # dim: 9\n#\ndim: 3#", [2, 3]),
    ],
)
def test_integers(text: str, dims: list[int]) -> None:
    assert list(net(f"input_shape {{ {text}\n}}").input_shape[0].dim) == dims


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("1.", 1.0),
        ("1.f", 1.0),
        (".5", 0.5),
        ("-.5e+0F", -0.5),
        ("5e-1", 0.5),
        ("2f", 2.0),
        ("0.25", 0.25),
        ("0e7", 0.0),
        ("- 3", -3.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("3.5e38", math.inf),
        ("18446744073709551616", 2.0**64),
    ],
)
def test_floats(text: str, value: float) -> None:
    assert layer(f"power_param {{ scale: {text} }}").power_param.scale == value


def test_nan() -> None:
    assert math.isnan(layer("power_param { scale: -NaN }").power_param.scale)


@pytest.mark.parametrize("text", ["true", "True", "t", "1", "01", "0x1"])
def test_true(text: str) -> None:
    assert net(f"force_backward: {text}").force_backward is True


@pytest.mark.parametrize("text", ["false", "False", "f", "0", "00"])
def test_false(text: str) -> None:
    message = net(f"force_backward: {text}")
    assert message.force_backward is False
    assert message.HasField("force_backward")


@pytest.mark.parametrize("text", ["AVE", "1", "0x1"])
def test_enums(text: str) -> None:
    assert layer(f"pooling_param {{ pool: {text} }}").pooling_param.pool == PoolingParameter.AVE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'two ' \"parts\" # note\n' more'", "two parts more"),
        (r"'a\x41\n\101'", "aA\nA"),
        (r'"\t\\\'\"\?"', "\t\\'\"?"),
        (r'"\u00e9\U0001F600"', "é😀"),
        (r'"\303\251"', "é"),
        (r'"\1012\x414"', "A2A4"),
        ('"it\'s"', "it's"),
        ('"# no comment"', "# no comment"),
        ("''", ""),
    ],
)
def test_strings(text: str, value: str) -> None:
    assert net(f"name: {text}").name == value


def test_bytes_need_not_be_text() -> None:
    assert parse(r'data: "\377\0"', Datum()).data == b"\xff\x00"


def test_messages_in_every_spelling() -> None:
    text = (
        'layer { name: "a" } layer: { name: "b" }; layer < name: "c" >, layer: [{ name: "d" }, < name: "e" >] layer {}'
    )
    assert [part.name for part in net(text).layer] == ["a", "b", "c", "d", "e", ""]
    assert layer("relu_param {}").HasField("relu_param")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # Fields that a message lacks.
        ("layer { relu_param { slope: 1 } }", "1:22: ReLUParameter has no field slope; did you mean negative_slope?"),
        (
            "layer {\n\tpooling_param { pooled_w: 3 } }",
            "2:18: PoolingParameter has no field pooled_w; this field belongs in ROIPoolingParameter "
            "(roi_pooling_param, Fast R-CNN's and Microsoft Caffe's)",
        ),
        (
            "layer { rol_pooling_param { } }",
            "1:9: LayerParameter has no field rol_pooling_param; did you mean roi_pooling_param "
            "(Fast R-CNN's and Microsoft Caffe's)?",
        ),
        (
            "layers { prior_box_param { } }",
            "1:10: V1LayerParameter has no field prior_box_param; this field belongs in LayerParameter (layer, SSD's)",
        ),
        (
            "layer { convolution_param { num_output: 2 bottom: 'a' } }",
            "1:43: ConvolutionParameter has no field bottom; this field belongs in LayerParameter (layer); "
            "is a } missing before it?",
        ),
        (
            "layer { blobs_lr: 1 }",
            "1:9: LayerParameter has no field blobs_lr; this field belongs in V1LayerParameter (layers) or "
            "V0LayerParameter",
        ),
        (
            "layer { pooling_param { kernelsize: 2 } }",
            "1:25: PoolingParameter has no field kernelsize; did you mean kernel_size?",
        ),
        ("layer { relu_param { zzz: 1 } }", "1:22: ReLUParameter has no field zzz; it has negative_slope, engine"),
        # Values that a field does not take.
        ("layer { pooling_param { pool: MEAN } }", "1:31: pool takes MAX, AVE or STOCHASTIC, not MEAN"),
        ("layer { pooling_param { pool: 7 } }", "1:31: pool takes MAX, AVE or STOCHASTIC, not 7"),
        ("layer { pooling_param { pool: AVG } }", "1:31: pool takes AVE, MAX or STOCHASTIC, not AVG"),
        ("layers { type: CONV }", "1:16: type takes CONCAT, CONVOLUTION, NONE, DECONVOLUTION, IM2COL, ..., not CONV"),
        ("layer { phase: TRIAN }", "1:16: phase takes TRAIN or TEST, not TRIAN"),
        (
            'layers { type: "ReLU" }',
            '1:16: type of the old layers { } takes RELU, not "ReLU"; strings are for today\'s layer { }',
        ),
        ("layer { type: RELU }", '1:15: type takes a string, not RELU; did you mean "ReLU"?'),
        ("name: x", '1:7: name takes a string, not x; did you mean "x"?'),
        ("input_dim: 3.0", "1:12: input_dim takes a whole number from -2147483648 to 2147483647, not 3.0"),
        ("input_dim: '3'", "1:12: input_dim takes a whole number from -2147483648 to 2147483647, not '3'"),
        (
            "input_dim: 2147483648",
            "1:12: input_dim takes a whole number from -2147483648 to 2147483647, not 2147483648",
        ),
        (
            "layer { convolution_param { pad: -3 } }",
            "1:34: pad takes a whole number from 0 to 4294967295, not -3",
        ),
        ("layer { loss_weight: 010 }", "1:22: loss_weight takes a decimal number, not 010"),
        ("layer { loss_weight: +3 }", "1:22: loss_weight takes a decimal number, not +"),
        ("force_backward: yes", "1:17: force_backward takes true or false, not yes"),
        ("force_backward: 2", "1:17: force_backward takes true or false, not 2"),
        (r'name: "\q"', r"1:7: the string holds the unknown escape \q"),
        # Fields given twice.
        ('layer { name: "a"\n name: "b" }', "2:2: name is given twice (first at 1:9), but takes one value"),
        (
            "layer { relu_param {} relu_param {} }",
            "1:23: relu_param is given twice (first at 1:9), but takes one value",
        ),
        # Grammar.
        ('layer { name: "a"\n', "2:1: expected } for the { of layer at 1:7, got the end of the text"),
        ("layer { top: 'a' >", "1:18: expected } for the { of layer at 1:7, got >"),
        ("layer: 3", "1:8: expected { after layer, got 3"),
        ('name "x"', '1:6: expected a colon and a value after name, got "x"'),
        ("}", "1:1: expected a field of NetParameter, got }"),
        ("input_dim: 3;; input_dim: 4", "1:14: expected a field of NetParameter, got ;"),
        ("input_dim: [1 2]", "1:15: expected a comma or ] in the list of input_dim, got 2"),
        ("input_dim: [1, ]", "1:16: input_dim takes a whole number from -2147483648 to 2147483647, not ]"),
        ("name: ['a']", "1:7: name takes a string, not ["),
        ("// no comment", "1:1: expected a field of NetParameter, got /"),
        ('name: "x }\n', '1:7: a string starts here and the line ends without the closing "'),
        ("input_dim: 3input_dim: 4", "1:12: 3input_dim is not a number"),
        ("input_dim: 1_0", "1:12: 1_0 is not a number"),
        ("input_dim: 0b1", "1:12: 0b1 is not a number"),
        ("input_dim: 09", "1:12: 09 is not a number; a number with a leading 0 is octal"),
        ("input_dim: 3 \x01", "1:14: control character '\\x01': this is no text"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(TextError) as error:
        net(text)
    assert str(error.value) == f"n:{message}"


def test_read_net_knows_where_layers_stand(tmp_path: Path) -> None:
    path = tmp_path / "two.prototxt"
    path.write_text('name: "two"\nlayer { name: "a" }\n\n   layer {\n name: "b" } layer { name: "a" }\n')
    text = read_net(path)
    assert text.net.name == "two"
    assert text.places == {"a": (2, 1), "b": (4, 4)}
    assert text.where("b") == f"{path}:4"
    assert text.where("made by a layer") == str(path)
    assert text.notes == ()
    assert read_net(str(path)) == text


def test_read_net_upgrades() -> None:
    text = read_net(
        'input: "x" input_dim: [2, 3, 5, 7]\nlayers { layer { name: "r" type: "relu" } bottom: "x" top: "y" }'
    )
    assert [part.type for part in text.net.layer] == ["Input", "ReLU"]
    assert text.where("r") == "<text>:2"
    assert text.where("input") == "<text>"
    assert len(text.notes) == 3


def test_read_solver_upgrades_and_refuses() -> None:
    assert read_solver("solver_type: ADAM\nbase_lr: 0.5").type == "Adam"
    with pytest.raises(UpgradeError) as error:
        read_solver('solver_type: ADAM\ntype: "SGD"')
    assert str(error.value) == "<text>: the solver has both type and the old solver_type: keep type alone"


def test_files_that_are_no_prototxt(tmp_path: Path) -> None:
    contents = {
        "bytes": (b"\x0a\x04Net\0\xff", "is no prototxt: byte 6 is not UTF-8 text (binary data, perhaps weights?)"),
        "zeros": (b"name\0\0", "is no prototxt: byte 4 is zero (binary data, perhaps weights?)"),
    }
    for name, (data, message) in contents.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TextError) as error:
            read_net(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {message}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.prototxt", "No such file or directory"), ("", "Is a directory"), ("\0", "embedded null")],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(TextError, match=f"cannot be read: {reason}"):
        read_net(f"{tmp_path}/{name}")


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "windows.prototxt"
    path.write_bytes(b'\xef\xbb\xbfname: "w" # note\r\nlayer { name: "a" }\r\n')
    assert read_net(path).places == {"a": (2, 1)}


def test_an_empty_file_is_an_empty_net(tmp_path: Path) -> None:
    path = tmp_path / "empty.prototxt"
    path.touch()
    assert read_net(path).net == NetParameter()


def test_parse_empties_the_message_first() -> None:
    assert parse('name: "b"', NetParameter(name="a", input=["x"])) == NetParameter(name="b")


def test_printed_form() -> None:
    message = net(
        "layer { loss_weight: [1, 0.1] top: ['a\\n\"b', 'é'] name: 'n' pooling_param { pool: 1 } "
        "param { lr_mult: 1e-5 } }"
    )
    assert print_text(message) == (
        'layer {\n  name: "n"\n  top: "a\\n\\"b"\n  top: "\\303\\251"\n  loss_weight: 1.0\n  loss_weight: 0.1\n'
        "  param {\n    lr_mult: 1e-05\n  }\n  pooling_param {\n    pool: AVE\n  }\n}\n"
    )


def test_every_float_survives_printing() -> None:
    bits = np.random.RandomState(5).randint(0, 2**32, 4000, dtype=np.uint32)
    values = bits.view(np.float32)
    blob = BlobProto(data=values[~np.isnan(values)])
    assert parse(print_text(blob), BlobProto()) == blob


@pytest.mark.parametrize("path", sorted(UPGRADE.glob("*.prototxt")), ids=lambda path: path.name)
def test_printing_and_reading_give_the_same_message(path: Path) -> None:
    message = parse(path.read_text(), SolverParameter() if path.name.startswith("solver") else NetParameter())
    assert parse(print_text(message), type(message)()) == message
