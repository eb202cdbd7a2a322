"""Caffemodels of all generations beside the params that Caffe held, files that are none, and the bytes written."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape, LayerParameter, NetParameter, V1LayerParameter
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.formats.caffemodel import write_caffemodel
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.files.wire.dialects import DIALECTS
from recaffe.prototxt.net.match import match
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
FORMATS = FIXTURES / "formats"


def cases() -> list[Path]:
    """Every file with the true params in a .npz beside it; none at all is an error, not a pass."""
    paths = [*FORMATS.glob("*.caffemodel"), *(FIXTURES / "upgrade").glob("*.caffemodel")]
    found = sorted(path for path in paths if truth(path).exists())
    if len(found) < 11:
        raise FileNotFoundError(f"only {len(found)} files of weights in {FIXTURES}")
    return found


def truth(path: Path) -> Path:
    return path.with_name(path.name.split(".")[0] + ".npz")


def model(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def small() -> bytes:
    net = NetParameter(name="small")
    for name, count in (("first", 300), ("second/b", 500)):
        blob = BlobProto(shape=BlobShape(dim=[count]), data=np.arange(count, dtype=np.float32).tolist())
        net.layer.add(name=name, type="InnerProduct", blobs=[blob], top=[name])
    return net.SerializeToString()


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.name.removesuffix(".caffemodel"))
def test_values_are_those_that_caffe_held(path: Path) -> None:
    layers = {layer.name: layer for layer in read_weights(path).layers}
    with np.load(truth(path)) as golden:
        keys = [key for key in golden.files if key.startswith("param/")]
        assert keys
        for key in keys:
            layer, _, index = key.removeprefix("param/").rpartition("/")
            blob = layers[layer].blobs[int(index)]
            assert blob.fits(golden[key].shape)
            assert blob.tensor().numpy().tobytes() == golden[key].tobytes()


def test_names_and_types() -> None:
    weights = read_weights(FORMATS / "lenet.caffemodel")
    assert (weights.net_name, weights.path) == ("small_lenet", str(FORMATS / "lenet.caffemodel"))
    told = "data:0 conv1:2 bn1:3 scale1:2 pool1:0 conv2:1 relu2:1 ip1:2 back:0 ip2:2 ip3:2 prob:0"
    assert " ".join(f"{layer.name}:{len(layer.blobs)}" for layer in weights.layers) == told
    assert [layer.type for layer in weights.layers][:3] == ["Input", "Convolution", "BatchNorm"]
    assert [layer.name for layer in read_weights(FORMATS / "slash.caffemodel").layers] == ["data", "block/3x3", "fc"]


@pytest.mark.parametrize(
    ("name", "types"),
    [("v0_weights", ["padding", "conv", "relu"]), ("v1_weights", ["Convolution", "ReLU", "InnerProduct"])],
)
def test_types_of_old_generations(name: str, types: list[str]) -> None:
    weights = read_weights(FIXTURES / "upgrade" / f"{name}.old.caffemodel")
    assert [layer.type for layer in weights.layers][:3] == types


def test_params_of_any_fork_are_stepped_over(tmp_path: Path) -> None:
    # Microsoft's 147 and 148, caffe-rfcn's 10000, SSD's 202, and a field whose message is nonsense.
    layer = b"\x0a\x01a\x12\x01T" + b"".join(
        tag + b"\x03\xff\xff\xff" for tag in (b"\x9a\x09", b"\xa2\x09", b"\x82\xf1\x04", b"\xd2\x0c")
    )
    path = model(tmp_path / "a.caffemodel", b"\xa2\x06" + bytes([len(layer)]) + layer)
    assert [(layer.name, layer.type, layer.blobs) for layer in read_weights(path).layers] == [("a", "T", {})]


def test_no_known_type_is_needed(tmp_path: Path) -> None:
    path = model(tmp_path / "a.caffemodel", b"\x12\x05\x22\x01a\x28\x63")  # V1, type 99
    assert [(layer.name, layer.type) for layer in read_weights(path).layers] == [("a", "99")]


def test_a_file_cut_within_a_layer_is_refused(tmp_path: Path) -> None:
    data = small()
    for size in [*range(1, 7), *range(8, 40), *range(40, len(data), 97), len(data) - 1]:
        path = model(tmp_path / "cut.caffemodel", data[:size])
        with pytest.raises(PrototxtError, match=r"^[^\n]+: byte \d+: [^\n]+$"):
            read_weights(path)


def test_a_file_cut_between_layers_lacks_a_layer(tmp_path: Path) -> None:
    data = small()
    path = model(tmp_path / "cut.caffemodel", data[: data.index(b"second/b") - 6])
    with pytest.raises(PrototxtError, match=r"lacks layer\(s\) 'second/b'"):
        match(read_weights(path), {"first": [(300,)], "second/b": [(500,)]})


def test_a_shipped_file_cut_at_every_997th_byte_is_refused(tmp_path: Path) -> None:
    data = (FORMATS / "lenet.caffemodel").read_bytes()
    for size in range(997, len(data), 997):
        path = model(tmp_path / "cut.caffemodel", data[:size])
        with pytest.raises(PrototxtError, match=r"^[^\n]+ claims \d+ bytes where its message has \d+ left[^\n]+$"):
            read_weights(path)


def test_every_damaged_byte_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    data = (FORMATS / "wire_legacy.caffemodel").read_bytes()
    places = range(0, len(data), 13)
    refused = []
    for at in places:
        path = model(tmp_path / "bad.caffemodel", data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :])
        try:
            blobs = [blob.tensor() for layer in read_weights(path).layers for blob in layer.blobs.values()]
        except PrototxtError as error:
            refused.append(str(error))
        else:
            assert blobs
    assert 0 < len(refused) < len(places)
    assert not any("\n" in message for message in refused)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "no layers in it: not a .caffemodel"),
        (NetParameter(name="bare").SerializeToString(), "no layers in it: not a .caffemodel"),
        (b'name: "VGG"\nlayer { name: "a" }\n', "is text, not a .caffemodel"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is text, not a .caffemodel"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "is a PNG image, not a .caffemodel"),
        (gzip.compress(small()), "is packed by gzip, not a .caffemodel"),
        (bytes(40), "byte 0: no field has the number 0 (a damaged file, or not one of Caffe's)"),
    ],
    ids=["empty", "bare", "text", "pointer", "png", "gzip", "zeros"],
)
def test_what_is_no_caffemodel(tmp_path: Path, data: bytes, what: str) -> None:
    path = model(tmp_path / "a.caffemodel", data)
    with pytest.raises(PrototxtError) as error:
        read_weights(path)
    assert str(error.value) == f"{path}: {what}"


@pytest.mark.parametrize("length", [1 << 16, (1 << 31) + 5, 1 << 40, (1 << 64) - 1])
def test_a_length_that_lies(tmp_path: Path, length: int) -> None:
    varint = b""
    while length > 127:
        varint, length = varint + bytes([length & 127 | 128]), length >> 7
    path = model(tmp_path / "a.caffemodel", small() + b"\xa2\x06" + varint + bytes([length]) + b"\x0a\x01a")
    with pytest.raises(PrototxtError, match=r"field 100 claims \d+ bytes where its message has 3 left"):
        read_weights(path)


def test_two_generations_in_one_file_are_refused(tmp_path: Path) -> None:
    net = NetParameter(layers=[V1LayerParameter(name="a")])
    net.layer.add(name="b")
    path = model(tmp_path / "a.caffemodel", net.SerializeToString())
    with pytest.raises(PrototxtError, match=r"has both `layers` and `layer`"):
        read_weights(path)


def written(net: Net, dialect: str = "bvlc") -> bytes:
    file = io.BytesIO()
    write_caffemodel(file, net.graph.name, params_of(net), DIALECTS[dialect])
    return file.getvalue()


def filled(text: str, phase: str = "TEST") -> Net:
    net = Net(read_net(text), phase, seed=2)
    net.fill()
    return net


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("nets/frcnn_test", "caffe-rfcn"),  # its Caffe has both Input layers and 8266711
        ("formats/lenet", "bvlc"),
        ("formats/lenet", "microsoft"),
        ("formats/slash", "caffe-rfcn"),
    ],
)
def test_bytes_are_caffes_own(name: str, dialect: str) -> None:
    golden = FIXTURES / f"{name}.caffemodel"
    net = Net.from_prototxt(FIXTURES / f"{name}.prototxt", weights=golden)
    assert written(net, dialect) == golden.read_bytes()


DATA = """name: "small"
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
"""
FC = DATA + 'layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 5 } }\n'


def test_a_net_is_as_caffe_holds_it_once_it_is_set_up() -> None:
    text = FC + (
        'layer { name: "bn" type: "BatchNorm" bottom: "fc" top: "bn" param { lr_mult: 0 } }\n'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "bn" bottom: "label" }\n'
        'layer { name: "test" type: "Silence" bottom: "bn" phase: TEST exclude { phase: TEST } }'
    )
    layers = {layer.name: layer for layer in NetParameter.FromString(written(filled(text, "TRAIN"))).layer}
    assert list(layers) == ["data", "fc", "bn", "bn_bn_0_split", "loss", "test"]
    assert [layer.phase for layer in layers.values()] == [0, 0, 0, 0, 0, 1]
    assert [param.lr_mult for param in layers["bn"].param] == [0, 0, 0]
    assert (list(layers["loss"].loss_weight), list(layers["loss"].top)) == ([1], [])
    assert [list(blob.shape.dim) for blob in layers["bn"].blobs] == [[5], [5], [1]]


def test_where_input_is_no_layer_its_names_are_the_nets() -> None:
    net = NetParameter.FromString(written(filled(FC), "fast-rcnn"))
    assert (net.name, list(net.input), [layer.name for layer in net.layer]) == ("small", ["data", "label"], ["fc"])


def test_a_blob_without_axes_has_no_shape() -> None:
    text = FC + (
        'layer { name: "s" type: "Scale" bottom: "fc" top: "s" scale_param { num_axes: 0 filler { value: 0.5 } } }'
    )
    (blob,) = NetParameter.FromString(written(filled(text))).layer[2].blobs
    assert blob == BlobProto(data=[0.5])


def test_blobs_of_the_prototxt_are_not_written() -> None:
    text = FC.replace("num_output: 5 }", "num_output: 5 } blobs { data: 7 }")
    layer = LayerParameter.FromString(NetParameter.FromString(written(filled(text))).layer[1].SerializeToString())
    assert [list(blob.shape.dim) for blob in layer.blobs] == [[5, 3], [5]]


def test_more_than_caffe_can_read_is_refused() -> None:
    net = Net(read_net(FC.replace("dim: 2 dim: 3", "dim: 2 dim: 107374183")))
    large = torch.zeros(()).expand(5, 107374183)
    layers = params_of(net, {(1, 0): large, (1, 1): torch.zeros(5)})
    with pytest.raises(PrototxtError, match=r"of 214748\d{4} bytes is more than Caffe reads .* write \.caffemodel\.h5"):
        write_caffemodel(io.BytesIO(), "large", layers, DIALECTS["bvlc"])
