from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.hdf5_data import HDF5DataLayer
from recaffe.layers.sources.transformation import Transformation


def write(path: Path, **sets: Any) -> None:
    with h5py.File(path, "w") as file:
        for name, values in sets.items():
            file[name] = values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rows 0 to 2 in one file, 3 to 7 in the next."""
    write(tmp_path / "p.h5", data=np.arange(6.0).reshape(3, 2), label=np.arange(3, dtype=np.uint8))
    write(tmp_path / "q.h5", data=np.arange(6.0, 16).reshape(5, 2), label=np.arange(3, 8, dtype=np.int64))
    (tmp_path / "list.txt").write_text("p.h5 q.h5\n")
    return tmp_path


def make(folder: Path, *names: str, **fields: Any) -> HDF5DataLayer:
    layer = HDF5DataLayer(**{"source": "list.txt", "batch_size": 4, "top_names": names, "folder": folder, **fields})
    layer.setup(num_tops=len(names))
    return layer


def rows(layer: HDF5DataLayer, batches: int) -> list[float]:
    """The labels of some batches; the data go with them."""
    found = []
    for _ in range(batches):
        data, label = layer()
        assert torch.equal(data, torch.stack((2 * label, 2 * label + 1), 1))
        found += label.tolist()
    return found


def test_rows_run_over_the_files_and_round_again(folder: Path) -> None:
    layer = make(folder, "data", "label")
    assert layer.top_shapes() == ((4, 2), (4,))
    assert rows(layer, 4) == [0, 1, 2, 3, 4, 5, 6, 7] * 2
    assert rows(make(folder, "data", "label", batch_size=13), 1) == [*range(8), *range(5)]


def test_one_file_goes_round_too(folder: Path) -> None:
    (folder / "list.txt").write_text("p.h5")
    assert rows(make(folder, "data", "label"), 2) == [0, 1, 2, 0, 1, 2, 0, 1]


def test_shuffling_mixes_files_and_rows(folder: Path) -> None:
    def batches(seed: int) -> list[float]:
        layer = make(folder, "data", "label", shuffle=True, generator=torch.Generator().manual_seed(seed))
        return rows(layer, 20)

    found = batches(3)
    passes = [found[k : k + 8] for k in range(0, 80, 8)]
    assert all(sorted(one) == list(range(8)) for one in passes)
    assert len({tuple(one) for one in passes}) > 5
    # A file's rows stay together; which file is first changes.
    assert {max(one[:3]) <= 2 or max(one[5:]) <= 2 for one in passes} == {True}
    assert {max(one[:3]) <= 2 for one in passes} == {True, False}
    assert batches(3) == found
    assert batches(4) != found


@pytest.mark.parametrize("kind", ["i1", "u2", "i8", "f2", "f8", ">f4"])
def test_numbers_of_any_width(folder: Path, kind: str) -> None:
    write(folder / "p.h5", x=np.arange(24).reshape(4, 1, 3, 1, 2).astype(kind))
    (folder / "list.txt").write_text("p.h5")
    (x,) = make(folder, "x")()
    assert (x.dtype, x.shape) == (torch.float32, (4, 1, 3, 1, 2))
    assert x.flatten().tolist() == list(range(24))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"data": [[1.0, 2]]}, r"q\.h5: has no data set 'label', which a top is named after \(it has data\)"),
        ({"data": [[1.0, 2]], "label": 5}, r"q\.h5: data set 'label' holds int64 in the shape \(\)"),
        ({"data": [[1.0, 2]], "label": [b"a"]}, r"q\.h5: data set 'label' holds object in the shape \(1,\)"),
        ({"data": [[1.0, 2]], "label": [1, 2]}, r"q\.h5: data sets need the same .*'data' 1, 'label' 2"),
        ({"data": np.zeros((0, 2)), "label": []}, r"q\.h5: data sets need .* at least one; it has 'data' 0, 'label' 0"),
        ({"data": [[1.0, 2, 3]], "label": [1]}, r"q\.h5: rows of 'data' are 3, before 2"),
    ],
)
def test_faults_in_a_file(folder: Path, sets: dict[str, Any], message: str) -> None:
    write(folder / "q.h5", **sets)
    layer = make(folder, "data", "label")
    with pytest.raises(LayerError, match=message):
        layer()


def test_faults_before(folder: Path) -> None:
    with pytest.raises(LayerError, match=r"takes no transform_param"):
        make(folder, "data", transform_param=Transformation())
    with pytest.raises(LayerError, match=r"no\.txt: cannot be read: No such file"):
        make(folder, "data", source="no.txt")
    (folder / "list.txt").write_text("list.txt")
    with pytest.raises(LayerError, match=r"list\.txt: .*file signature not found"):
        make(folder, "data")
    (folder / "list.txt").write_text(" \n")
    with pytest.raises(LayerError, match=r"list\.txt: names no file"):
        make(folder, "data")
