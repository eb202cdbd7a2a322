"""What is written beside what Caffe wrote: the same bytes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from recaffe.prototxt.caffe_pb2 import BlobProto, LayerParameter, NetParameter
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import outgoing
from recaffe.prototxt.export.write_caffemodel import write_caffemodel
from recaffe.prototxt.files.dialects import DIALECTS
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"


def written(net: Net, dialect: str = "bvlc") -> bytes:
    file = io.BytesIO()
    write_caffemodel(file, net.graph.name, net.phase, outgoing(net), DIALECTS[dialect])
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
    layers = outgoing(net, {(1, 0): large, (1, 1): torch.zeros(5)})
    with pytest.raises(PrototxtError, match=r"of 214748\d{4} bytes is more than Caffe reads .* write \.caffemodel\.h5"):
        write_caffemodel(io.BytesIO(), "large", "TEST", layers, DIALECTS["bvlc"])
