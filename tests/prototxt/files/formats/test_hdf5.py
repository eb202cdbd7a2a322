"""Caffe's HDF5 weights: what Caffe loads, what it refuses and could not write, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.formats.hdf5 import read_hdf5, write_hdf5
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FORMATS = Path(__file__).parents[4] / "golden" / "fixtures" / "formats"


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


def tree(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.__setitem__(
                name, (item.shape, item.dtype, item[()].tobytes()) if isinstance(item, h5py.Dataset) else "group"
            )
        )
    return found


def net_of(*names: str) -> Net:
    text = "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 } } }\n"
    for i, name in enumerate(names):
        text += f"layer {{ name: '{name}' type: 'InnerProduct' bottom: '{f'b{i - 1}' if i else 'data'}' top: 'b{i}' "
        text += f"inner_product_param {{ num_output: {5 + i} weight_filler {{ type: 'xavier' }} }} }}\n"
    net = Net(read_net(text))
    net.fill()
    return net


def test_the_tree_is_caffes_own(lenet: Net, tmp_path: Path) -> None:
    golden = FORMATS / "lenet.caffemodel.h5"
    write_hdf5(tmp_path / "a.h5", params_of(lenet))
    assert tree(tmp_path / "a.h5") == tree(golden)
    assert (tmp_path / "a.h5").stat().st_size == golden.stat().st_size


def test_a_second_file_has_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        write_hdf5(tmp_path / name, params_of(net_of("one", "two")))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with h5py.File(tmp_path / "a.h5") as file:
        assert {h5py.h5o.get_info(file[place].id).ctime for place in ("data", "data/one", "data/one/0")} == {0}


def test_slashes_are_groups_and_read_back(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "a.h5", params_of(net_of("conv/3x3", "conv", "conv/5x5")))
    assert {layer.name: len(layer.blobs) for layer in read_weights(tmp_path / "a.h5").layers} == {
        "conv": 2,
        "conv/3x3": 2,
        "conv/5x5": 2,
        "data": 0,
    }


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", ".", "a/./b"])
def test_a_name_that_would_not_come_back_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match=r"layer '.*' \(InnerProduct\): HDF5 cannot keep the name"):
        write_hdf5(tmp_path / "a.h5", params_of(net_of(name)))


@pytest.mark.parametrize("names", [("a", "a/0"), ("a", "a/1/b"), ("a/0", "a"), ("a", "a")])
def test_names_that_take_the_same_place_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match=r"layer 'a[^']*' \(InnerProduct\): HDF5 cannot hold data/a.* beside"):
        write_hdf5(tmp_path / "a.h5", params_of(net_of(*names)))
