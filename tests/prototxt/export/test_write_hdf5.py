"""What is written beside what Caffe wrote: the same tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import outgoing
from recaffe.prototxt.export.write_hdf5 import write_hdf5
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FORMATS = Path(__file__).parents[3] / "golden" / "fixtures" / "formats"


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


def test_the_tree_is_caffes_own(tmp_path: Path) -> None:
    golden = FORMATS / "lenet.caffemodel.h5"
    net = Net.from_prototxt(FORMATS / "lenet.prototxt", weights=FORMATS / "lenet.caffemodel")
    write_hdf5(tmp_path / "a.h5", outgoing(net))
    assert tree(tmp_path / "a.h5") == tree(golden)
    assert (tmp_path / "a.h5").stat().st_size == golden.stat().st_size


def test_a_second_file_has_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        write_hdf5(tmp_path / name, outgoing(net_of("one", "two")))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with h5py.File(tmp_path / "a.h5") as file:
        assert {h5py.h5o.get_info(file[place].id).ctime for place in ("data", "data/one", "data/one/0")} == {0}


def test_slashes_are_groups_and_read_back(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "a.h5", outgoing(net_of("conv/3x3", "conv", "conv/5x5")))
    assert {layer.name: len(layer.blobs) for layer in read_weights(tmp_path / "a.h5").layers} == {
        "conv": 2,
        "conv/3x3": 2,
        "conv/5x5": 2,
        "data": 0,
    }


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", ".", "a/./b"])
def test_a_name_that_would_not_come_back_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match=r"layer '.*' \(InnerProduct\): HDF5 cannot keep the name"):
        write_hdf5(tmp_path / "a.h5", outgoing(net_of(name)))


@pytest.mark.parametrize("names", [("a", "a/0"), ("a", "a/1/b"), ("a/0", "a"), ("a", "a")])
def test_names_that_take_the_same_place_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match=r"layer 'a[^']*' \(InnerProduct\): HDF5 cannot hold data/a.* beside"):
        write_hdf5(tmp_path / "a.h5", outgoing(net_of(*names)))
