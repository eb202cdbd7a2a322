"""Params as arrays by key, as the libraries of each format read and write them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from recaffe.prototxt.export.net_params import outgoing
from recaffe.prototxt.export.write_arrays import write_npz, write_pt, write_safetensors
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"


@pytest.fixture
def lenet() -> Net:
    return Net.from_prototxt(FORMATS / "lenet.prototxt", weights=FORMATS / "lenet.caffemodel")


def dotted() -> Net:
    """Two layers of one name, and one with a dot in it."""
    text = "layer { name: 'data' type: 'Input' top: 'a' input_param { shape { dim: 2 dim: 3 } } }\n"
    for name, bottom, top in (("ü.1", "a", "b"), ("same", "b", "c"), ("same", "c", "d")):
        text += f"layer {{ name: '{name}' type: 'InnerProduct' bottom: '{bottom}' top: '{top}' "
        text += "inner_product_param { num_output: 5 weight_filler { type: 'xavier' } } }\n"
    net = Net(read_net(text))
    net.fill()
    return net


def test_npz_has_caffes_names(lenet: Net) -> None:
    file = io.BytesIO()
    write_npz(file, outgoing(lenet))
    file.seek(0)
    with np.load(FORMATS / "lenet.npz") as golden, np.load(file) as ours:
        keys = [key for key in golden.files if key.startswith("param/")]
        assert sorted(ours.files) == sorted(keys)
        assert all(ours[key].tobytes() == golden[key].tobytes() for key in keys)
        assert {ours[key].dtype for key in keys} == {np.dtype(np.float32)}


def test_npz_does_not_know_the_time_of_day(lenet: Net) -> None:
    file = io.BytesIO()
    write_npz(file, outgoing(lenet))
    assert {item.date_time for item in zipfile.ZipFile(file).infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("net", [dotted(), None], ids=["names", "lenet"])
def test_safetensors_has_the_librarys_bytes(net: Net | None, lenet: Net) -> None:
    net = net or lenet
    file = io.BytesIO()
    write_safetensors(file, outgoing(net))
    state = {key: value.clone() for key, value in net.state_dict().items()}
    assert file.getvalue() == safetensors.torch.save(state, {"format": "pt"})


def test_pt_is_the_nets_state_dict() -> None:
    net, other = dotted(), dotted()
    other.fill({("ü.1", 0): torch.zeros(5, 3)})
    file = io.BytesIO()
    write_pt(file, outgoing(net))
    file.seek(0)
    state = torch.load(file, weights_only=True)
    assert list(state) == ["ü_1.0", "ü_1.1", "same.0", "same.1", "same#2.0", "same#2.1"]
    other.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("write", [write_npz, write_safetensors, write_pt])
def test_a_second_file_has_the_same_bytes(write: type, lenet: Net) -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write(file, outgoing(lenet))
    assert files[0].getvalue() == files[1].getvalue()
