"""Caffe's HDF5 weights: what Caffe loads, what it refuses, and what it could not write."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.hdf5 import read_hdf5
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"


@pytest.fixture
def plain() -> Net:
    net = Net.from_prototxt(FORMATS / "plain.prototxt")
    for param in net.parameters():
        param.data.zero_()
    return net


def sums(net: Net) -> list[float]:
    return [float(param.abs().sum(dtype=torch.float64)) for param in net.layer("fc").params]


def test_names_without_types() -> None:
    weights = read_weights(FORMATS / "lenet.caffemodel.h5")
    told = {layer.name: list(layer.blobs) for layer in weights.layers}
    assert told["bn1"] == [0, 1, 2]
    assert told["ip3"] == [1]  # its blob 0 is ip1's
    assert told["pool1"] == []
    assert len(told) == 12
    assert {layer.type for layer in weights.layers} == {""}


@pytest.mark.parametrize("name", ["h5_float64", "h5_extra_layer"])
def test_what_caffe_loads(plain: Net, name: str) -> None:
    plain.load(FORMATS / f"{name}.caffemodel.h5", allow=Allow(unused=True))
    with np.load(FORMATS / "wire_diff.npz") as golden:  # the same params
        for layer in ("conv", "fc"):
            for i, param in enumerate(plain.layer(layer).params):
                assert param.detach().numpy().tobytes() == golden[f"param/{layer}/{i}"].tobytes()


def test_integers_load(plain: Net) -> None:
    found = plain.load(FORMATS / "h5_int32.caffemodel.h5")
    assert sums(plain) == [82.0, 1.0]
    assert found.converted == {"int32": 4}


def test_a_layer_that_caffe_leaves_as_it_was_is_told(plain: Net) -> None:
    path = FORMATS / "h5_missing_layer.caffemodel.h5"
    with pytest.raises(PrototxtError, match=r"lacks layer\(s\) 'fc'"):
        plain.load(path)
    assert plain.load(path, allow=Allow(missing=True)).missing == ["fc"]
    assert sums(plain) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("h5_missing_blob", "layer 'fc' lacks blob 1 in the file"),
        ("h5_wrong_shape", "layer 'fc', blob 0 is 48×5 in the file, 5×48 in the net"),
        ("h5_bias_4d", "layer 'fc', blob 1 is 1×1×1×5 in the file, 5 in the net"),
        ("h5_extra_blob", "layer 'conv' has a blob 2 in the file, 2 blob(s) in the net; and 1 more such"),
        ("h5_extra_layer", "the net lacks its layer(s) 'nobody'"),
    ],
)
def test_what_does_not_fit_is_refused(plain: Net, name: str, message: str) -> None:
    path = FORMATS / f"{name}.caffemodel.h5"
    with pytest.raises(PrototxtError) as error:
        plain.load(path)
    assert str(error.value).startswith(f"{path}: {message} (")
    assert sums(plain) == [0.0, 0.0]


def test_names_with_slashes(tmp_path: Path) -> None:
    path = tmp_path / "slash.h5"
    with h5py.File(path, "w") as file:
        for name, size in (("data/a/b/0", 2), ("data/a/b/1", 3), ("data/a/0", 4), ("data/a/b/c/0", 5)):
            file[name] = np.full(size, size, np.float32)
        file.create_group("data/a/silent")
    layers = {layer.name: layer.blobs for layer in read_hdf5(str(path)).layers}
    assert {name: {i: blob.shape for i, blob in blobs.items()} for name, blobs in layers.items()} == {
        "a": {0: (4,)},
        "a/b": {0: (2,), 1: (3,)},
        "a/b/c": {0: (5,)},
        "a/silent": {},
    }
    assert layers["a/b"][1].tensor().tolist() == [3, 3, 3]


def test_values_of_any_layout(tmp_path: Path) -> None:
    values = np.arange(42, dtype=">f8").reshape(2, 3, 7)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("data/packed/0", data=values, chunks=(1, 2, 4), compression="gzip", shuffle=True)
        file["data/empty/0"] = np.zeros((0, 3), np.float32)
        file["data/one/0"] = np.float32(2.5)
        file["data/large/0"] = np.array([1e300])
    blobs = {layer.name: layer.blobs[0] for layer in read_weights(tmp_path / "w.h5").layers}
    assert np.array_equal(blobs["packed"].tensor().numpy(), values)
    assert blobs["empty"].tensor().shape == (0, 3)
    assert blobs["one"].tensor().item() == 2.5
    assert blobs["large"].tensor().tolist() == [float("inf")]


def write_external(file: h5py.File) -> None:
    file.create_dataset("data/a/0", shape=(3,), dtype="f4", external=[("/etc/hostname", 0, 12)])


def write_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", shape=(3,))
    file.create_virtual_dataset("data/a/0", layout)


def write_link(file: h5py.File) -> None:
    file.create_group("data/a")["0"] = h5py.ExternalLink("elsewhere.h5", "/x")


def write_soft_link(file: h5py.File) -> None:
    file["other"] = np.zeros(3, np.float32)
    file.create_group("data/a")["0"] = h5py.SoftLink("/other")


def write_alias(file: h5py.File) -> None:
    file["data/a/0"] = np.zeros(3, np.float32)
    file["data/b"] = file["data/a"]


def write_loop(file: h5py.File) -> None:
    group = file.create_group("data/a")
    group["0"] = file["data"]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (write_external, "layer 'a', blob 0 lies in another file, which is not read"),
        (write_virtual, "layer 'a', blob 0 lies in another file, which is not read"),
        (write_link, "data/a/0 is a link to elsewhere, which is not followed"),
        (write_soft_link, "data/a/0 is a link to elsewhere, which is not followed"),
        (write_alias, "data/b is one more name of another group"),
        (write_loop, "data/a/0 is one more name of another group"),
        (lambda file: file.create_group("data"), "no layers in it: not a .caffemodel.h5"),
        (lambda file: file.create_dataset("data/a/0", (3,), "f4"), "layer 'a', blob 0 has no values in the file"),
        (lambda file: file.create_dataset("data/a/w", data=[1.0]), "data/a/w is no blob: that would be data/LAYER/IND"),
        (lambda file: file.create_dataset("data/0", data=[1.0]), "data/0 is no blob: that would be data/LAYER/INDEX"),
        (lambda file: file.create_dataset("data/a/0", dtype="f4", shape=None), "layer 'a', blob 0 is no array"),
        (lambda file: file.create_dataset("data", data=[1.0]), "is HDF5 without a group 'data': not one of Caffe's"),
        (lambda file: None, "is HDF5 without a group 'data': not one of Caffe's"),
    ],
)
def test_files_of_others(write: object, message: str, tmp_path: Path) -> None:
    assert callable(write)
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        write(file)
    with pytest.raises(PrototxtError) as error:
        read_weights(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_texts_are_no_numbers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["data/a/0"] = np.array([b"abc", b"d"])
    (layer,) = read_weights(tmp_path / "w.h5").layers
    with pytest.raises(PrototxtError, match=r"layer 'a', blob 0 holds \w+, which is no real number$"):
        layer.blobs[0].tensor()
