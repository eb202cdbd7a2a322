"""Nets that go on from a place bit for bit: random numbers, and every layer that keeps something between forwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.layers.base.layer import State
from recaffe.layers.memory_data import MemoryDataLayer
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.resume import ResumableNet, return_to_places, write_places
from recaffe.prototxt.text.read import read_net

DATA = Path(__file__).parents[3] / "golden" / "fixtures" / "data_layers"
CROP = "transform_param { mirror: true crop_size: 5 }"
NETS = {
    "dropout": """layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 3 dim: 40 }
        data_filler { type: "gaussian" } } }
      layer { name: "drop" type: "Dropout" bottom: "d" top: "out" }""",
    "image": f"""layer {{ name: "i" type: "ImageData" top: "out" top: "label" {CROP}
      image_data_param {{ source: "inputs/list.txt" root_folder: "inputs/images/" batch_size: 3 new_height: 20
        new_width: 24 shuffle: true }} }}""",
    "data": f"""layer {{ name: "l" type: "Data" top: "out" top: "label" {CROP}
      data_param {{ source: "inputs/raw_lmdb" backend: LMDB batch_size: 3 }} }}""",
    "window": """layer { name: "w" type: "WindowData" top: "out" top: "label"
      transform_param { mirror: true crop_size: 9 }
      window_data_param { source: "inputs/win/many.txt" batch_size: 4 } }""",
    "hdf5": """layer { name: "h" type: "HDF5Data" top: "data" top: "label"
      hdf5_data_param { source: "inputs/h5_two.txt" batch_size: 4 shuffle: true } }
      layer { name: "copy" type: "Split" bottom: "data" top: "out" }""",
    "memory": """layer { name: "m" type: "MemoryData" top: "out" top: "label"
      memory_data_param { batch_size: 2 channels: 1 height: 3 width: 4 } }""",
    "lstm": """layer { name: "d" type: "DummyData" top: "x" top: "cont" dummy_data_param {
        shape { dim: 2 dim: 3 dim: 4 } shape { dim: 2 dim: 3 } data_filler { type: "gaussian" }
        data_filler { value: 1 } } }
      layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "out" recurrent_param { num_output: 5
        weight_filler { type: "uniform" min: -1 } } }""",
}


def build(name: str) -> Net:
    net = Net(read_net(NETS[name] + "\n"), "TRAIN", seed=4, folder=DATA)
    net.fill()
    for layer in net.layers.values():
        if isinstance(layer, MemoryDataLayer):
            layer.set_input_arrays(np.arange(72).reshape(6, 1, 3, 4), np.zeros(6))
    return net


@pytest.mark.parametrize("forwards", [0, 1, 5])
@pytest.mark.parametrize("name", NETS)
def test_a_net_goes_on(name: str, forwards: int, tmp_path: Path) -> None:
    first, second = build(name), build(name)
    with torch.no_grad():
        for _ in range(forwards):
            first(keep="all")
        write_places(tmp_path / "a.npz", {"net": ResumableNet(first)})
        assert return_to_places(tmp_path / "a.npz", {"net": ResumableNet(second)}) == []
        blobs = []
        for _ in range(4):
            first(keep="all")
            second(keep="all")
            blobs.append(first.blobs["out"].clone())
            assert torch.equal(blobs[-1], second.blobs["out"])
    assert not torch.equal(blobs[0], blobs[1])


def test_images_do_not_go_back(tmp_path: Path) -> None:
    net = build("image")
    net()
    write_places(tmp_path / "a.npz", {"net": ResumableNet(net)})
    with pytest.raises(SolverError, match=r"a\.npz: a layer has given batches already and cannot go back: build the"):
        return_to_places(tmp_path / "a.npz", {"net": ResumableNet(net)})


def test_numpys_generator_goes_on(tmp_path: Path) -> None:
    first, second = build("dropout"), build("dropout")
    first.rng.standard_normal(3)  # of an odd number one is kept for the next time
    write_places(tmp_path / "a.npz", {"net": ResumableNet(first)})
    return_to_places(tmp_path / "a.npz", {"net": ResumableNet(second)})
    assert np.array_equal(first.rng.standard_normal(5), second.rng.standard_normal(5))


class Counter:
    """A source of data of one's own."""

    count = 0

    def place(self) -> State:
        return {"count": np.array(self.count)}

    def return_to(self, place: State) -> None:
        self.count = int(place["count"])


def test_the_same_places_give_the_same_bytes_and_a_new_one_begins_anew(tmp_path: Path) -> None:
    counter = Counter()
    counter.count = 5
    for name in ("a.npz", "b.npz"):
        write_places(tmp_path / name, {"feed": counter})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found, other = Counter(), Counter()
    assert return_to_places(tmp_path / "a.npz", {"feed": found, "test 0": other}) == ["test 0"]
    assert (found.count, other.count) == (5, 0)


def test_a_file_of_other_things_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"net/numpy/keys": np.zeros(3)})
    with pytest.raises(PrototxtError, match=r"a\.npz: does not tell where this solver stood: at$"):
        return_to_places(tmp_path / "a.npz", {"net": ResumableNet(build("dropout"))})
    (tmp_path / "b.npz").write_bytes(b"PK\3\4")
    with pytest.raises(PrototxtError, match=r"b\.npz: is no \.npz, or a damaged one: "):
        return_to_places(tmp_path / "b.npz", {})
