from pathlib import Path

import pytest
import torch

from recaffe.prototxt.caffe_pb2 import BlobProto
from recaffe.prototxt.net.build import NetError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

NET = """
layer { name: "x" type: "Input" top: "x" top: "label" input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "loss" type: "InfogainLoss" bottom: "x" bottom: "label" top: "loss"
        infogain_loss_param { source: "H.binaryproto" } }
"""


def test_a_matrix_is_read_from_its_file(tmp_path: Path) -> None:
    matrix = torch.rand(3, 3)
    blob = BlobProto(num=1, channels=1, height=3, width=3, data=matrix.flatten().tolist())
    (tmp_path / "H.binaryproto").write_bytes(blob.SerializeToString())
    net = Net(read_net(NET), folder=tmp_path)
    x = torch.randn(2, 3)
    (loss,) = net(x=x, label=torch.tensor([2.0, 0.0])).values()
    torch.testing.assert_close(loss, -(matrix[[2, 0]] * x.log_softmax(1)).sum() / 2)


def test_a_file_that_is_none_is_named_with_its_layer(tmp_path: Path) -> None:
    with pytest.raises(NetError, match=r"layer 'loss' \(InfogainLoss\): .*H.binaryproto: cannot be read: No such file"):
        Net(read_net(NET), folder=tmp_path)
    (tmp_path / "H.binaryproto").write_text("no blob")
    with pytest.raises(NetError, match=r"layer 'loss' \(InfogainLoss\): .*H.binaryproto: "):
        Net(read_net(NET), folder=tmp_path)
