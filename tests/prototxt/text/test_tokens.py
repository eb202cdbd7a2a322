"""Text in other encodings than UTF-8, which Caffe takes as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.prototxt.caffe_pb2 import BlobProto, NetParameter
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import parse, print_text, read_net
from recaffe.prototxt.text.tokens import TextError

GBK = "# 卷积层\nname: '网络' # \\ {\nlayer { name: '卷\\\\' type: 'ReLU' bottom: 'x' top: 'é' }\n".encode(
    "gbk", "replace"
)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    """Caffe takes them as they are in comments and strings; in names they read as names in weights do."""
    (tmp_path / "gbk.prototxt").write_bytes(GBK)
    text = read_net(tmp_path / "gbk.prototxt")
    assert text.net.name == r"\xcd\xf8\xc2\xe7"
    assert text.net.layer[0].name == "\\xbe\\xed\\"
    assert text.notes == (r"line 1 and 2 more: bytes that are not UTF-8, in strings read as \xNN",)
    assert read_net(print_text(text.net)).net == text.net
    (tmp_path / "latin.prototxt").write_bytes("name: 'a' # caf\xe9".encode("latin-1"))
    assert read_net(tmp_path / "latin.prototxt").notes == (
        r"line 1: bytes that are not UTF-8, in strings read as \xNN",
    )
    assert parse(r'name: "\377"', NetParameter()).name == r"\xff"


def test_bytes_that_are_not_utf8_elsewhere_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.prototxt"
    path.write_bytes(b"name: 'a'\nna\xefme: 'a'")
    with pytest.raises(TextError, match=r"a\.prototxt:2:"):
        read_net(path)


def test_a_layer_named_in_gbk_takes_its_weights(tmp_path: Path) -> None:
    text = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } }\n"
    text += "layer { name: '卷' type: 'InnerProduct' bottom: 'x' top: 'y' inner_product_param { num_output: 5 } }"
    (tmp_path / "a.prototxt").write_bytes(text.encode("gbk"))
    weights = NetParameter()
    weights.layer.add(
        name="??", type="InnerProduct", blobs=[BlobProto(shape={"dim": shape}) for shape in ([5, 3], [5])]
    )
    for blob, count in zip(weights.layer[0].blobs, (15, 5), strict=True):
        blob.data.extend([2.0] * count)
    (tmp_path / "a.caffemodel").write_bytes(weights.SerializeToString().replace(b"??", "卷".encode("gbk")))
    net = Net.from_prototxt(tmp_path / "a.prototxt", weights=tmp_path / "a.caffemodel")
    assert all((param == 2).all() for param in net.parameters())
