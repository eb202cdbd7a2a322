"""Weights of every format beside the params that Caffe held, and files cut short or damaged."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.read import list_file, read_weights
from recaffe.prototxt.files.weights import Weights
from recaffe.prototxt.net.net import Net

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"
LENET = FORMATS / "lenet.prototxt"
SHARED = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a.b" type: "InnerProduct" bottom: "data" top: "x" param { name: "w" }
        inner_product_param { num_output: 3 } }
layer { name: "same" type: "InnerProduct" bottom: "x" top: "y" param { name: "w" }
        inner_product_param { num_output: 3 } }
layer { name: "same" type: "InnerProduct" bottom: "y" top: "z" inner_product_param { num_output: 4 } }
"""


def lenet() -> Net:
    return Net.from_prototxt(LENET, weights=FORMATS / "lenet.caffemodel")


def as_caffemodel(path: Path) -> None:
    path.write_bytes((FORMATS / "lenet.caffemodel").read_bytes())


def as_hdf5(path: Path) -> None:
    path.write_bytes((FORMATS / "lenet.caffemodel.h5").read_bytes())


def as_fixture(path: Path) -> None:
    path.write_bytes((FORMATS / "lenet.npz").read_bytes())


def as_npz(path: Path) -> None:
    net = lenet()
    params = {f"param/{name}/{i}": p.detach() for name, layer in net.layers.items() for i, p in enumerate(layer.params)}
    with path.open("wb") as file:
        np.savez(file, **{key: value.numpy() for key, value in params.items()})


def as_safetensors(path: Path) -> None:
    save_file({key: value.clone() for key, value in lenet().state_dict().items()}, path)


def as_pt(path: Path) -> None:
    torch.save(lenet().state_dict(), path)


def as_old_pt(path: Path) -> None:
    torch.save(lenet().state_dict(), path, _use_new_zipfile_serialization=False)


WRITERS = [as_caffemodel, as_hdf5, as_fixture, as_npz, as_safetensors, as_pt, as_old_pt]
written = pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
Write = Callable[[Path], None]


@written
def test_every_format_fills_a_net_alike(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "weights"  # no suffix: content tells
    write(path)
    net = Net.from_prototxt(LENET, weights=path)
    with np.load(FORMATS / "lenet.npz") as golden:
        keys = [key for key in golden.files if key.startswith("param/")]
        assert len(keys) == 15
        for key in keys:
            _, layer, index = key.split("/")
            assert net.layer(layer).params[int(index)].detach().numpy().tobytes() == golden[key].tobytes()


@written
def test_a_file_cut_anywhere_is_refused_in_one_line(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    write(path)
    data = path.read_bytes()
    for size in [*range(1, 16), *range(997, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(PrototxtError, match=rf"^{re.escape(str(path))}: [^\n]+$"):
            Net.from_prototxt(LENET).load(path)


@written
def test_a_damaged_byte_is_read_or_refused_in_one_line(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    write(path)
    data = path.read_bytes()
    refused = []
    for at in [*range(0, 96, 5), *range(96, len(data), len(data) // 60)]:
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :])
        try:
            blobs = [blob for entry in list_file(path).entries for blob in entry.blobs.values()]
            assert all(blob.dtype.startswith("str") or blob.tensor().shape == blob.shape for blob in blobs)
        except PrototxtError as error:
            refused.append(str(error))
    assert refused
    assert [text for text in refused if not re.fullmatch(rf"{re.escape(str(path))}: [^\n]+", text)] == []


@pytest.fixture
def shared() -> Net:
    """Two layers share a param, two have one name, and one has a dot in it."""
    net = Net.from_prototxt(SHARED, seed=5)
    for i, param in enumerate(net.parameters()):
        param.data.fill_(i + 0.5)
    return net


def test_a_state_dict_fills_every_layer_by_its_key(shared: Net, tmp_path: Path) -> None:
    state = shared.state_dict()
    assert list(state) == ["a_b.0", "a_b.1", "same.0", "same.1", "same#2.0", "same#2.1"]
    torch.save(state, tmp_path / "w.pt")
    again = Net.from_prototxt(SHARED, weights=tmp_path / "w.pt")
    assert all(torch.equal(state[key], value) for key, value in again.state_dict().items())


@pytest.mark.parametrize("left_out", ["same.0", "a_b.0"])
def test_a_shared_param_is_wanted_once(shared: Net, tmp_path: Path, left_out: str) -> None:
    state = {key: value.clone() for key, value in shared.state_dict().items() if key != left_out}
    save_file(state, tmp_path / "w.safetensors")
    again = Net.from_prototxt(SHARED, weights=tmp_path / "w.safetensors")
    assert again.layer("a.b").params[0].eq(0.5).all()
    assert again.layer("a.b").params[0] is again.steps[2].layer.params[0]


def test_a_param_that_no_layer_has_is_refused(shared: Net, tmp_path: Path) -> None:
    state = shared.state_dict()
    torch.save({key: value for key, value in state.items() if key != "same#2.1"}, tmp_path / "w.pt")
    with pytest.raises(PrototxtError, match=r"w\.pt: layer 'same#2' lacks blob 1 in the file"):
        shared.load(tmp_path / "w.pt")
    torch.save({**state, "same.2": state["same.1"]}, tmp_path / "w.pt")
    with pytest.raises(PrototxtError, match=r"layer 'same' has a blob 2 in the file, 2 blob\(s\) in the net"):
        shared.load(tmp_path / "w.pt")
    torch.save({**state, "other.0": state["same.1"]}, tmp_path / "w.pt")
    with pytest.raises(PrototxtError, match=r"the net lacks its layer\(s\) 'other'"):
        shared.load(tmp_path / "w.pt")


def test_other_types_are_told(tmp_path: Path) -> None:
    net = lenet()
    types = {"conv1.0": torch.float64, "ip1.0": torch.bfloat16, "ip2.0": torch.float16, "ip3.1": torch.int64}
    torch.save(
        {key: value.to(types.get(key, value.dtype)) for key, value in net.state_dict().items()}, tmp_path / "w.pt"
    )
    told = net.load(tmp_path / "w.pt").report().splitlines()[-1]
    assert told.startswith("  made float32: ")
    assert all(f"1 param(s) of {name}" in told for name in ("float64", "bfloat16", "float16", "int64"))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "no params in it (keys LAYER.INDEX, as the state_dict of a Net has)"),
        (["conv1.weight"], "the key 'conv1.weight' is no param's: that would be LAYER.INDEX, as the state_dict "),
        (["conv1.0", "conv1.01"], "the key 'conv1.01' is no param's: "),
        (["conv1.99999"], "the key 'conv1.99999' is no param's: "),
        (["0"], "the key '0' is no param's: "),
    ],
)
def test_keys_of_other_files(keys: list[str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(dict.fromkeys(keys, torch.zeros(3)), path)
    with pytest.raises(PrototxtError) as error:
        read_weights(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_npz_that_is_no_fixture_has_params_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"param/a/b/0": np.zeros(3, np.float32), "mean": np.zeros(2, np.float32)})
    with pytest.raises(PrototxtError, match=r"the key 'mean' is no param's: that would be param/LAYER/INDEX"):
        read_weights(tmp_path / "w.npz")
    np.savez(tmp_path / "w.npz", **{"param/a/b/1": np.zeros(3, np.float32), "param/a/b/0": np.zeros(2, np.float32)})
    weights = read_weights(tmp_path / "w.npz")
    assert isinstance(weights, Weights)
    assert [(layer.name, list(layer.blobs)) for layer in weights.layers] == [("a/b", [0, 1])]


@pytest.mark.parametrize(
    ("name", "what"),
    [("mean.binaryproto", "one blob (.binaryproto)"), ("adam_iter_12.solverstate", "a solver's state")],
)
def test_other_files_of_caffe_are_no_weights(name: str, what: str) -> None:
    with pytest.raises(PrototxtError) as error:
        read_weights(FORMATS / name)
    assert str(error.value) == f"{FORMATS / name}: is {what}, not the weights of a net"


def test_one_array_is_no_weights(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    with pytest.raises(PrototxtError, match=r"a\.npy: is one array \(\.npy\), not the weights of a net$"):
        read_weights(tmp_path / "a.npy")


def test_a_missing_file() -> None:
    with pytest.raises(PrototxtError, match=r"^none\.safetensors: cannot be read: No such file or directory$"):
        read_weights("none.safetensors")
