import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.files import compare_files, compare_weights, files_apart
from recaffe.golden.fixture import Fixture
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

OUTPUT = """layer { name: "x" type: "Input" top: "x" top: "l" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "out" type: "HDF5Output" bottom: "x" bottom: "l" hdf5_output_param { file_name: "out.h5" } }"""


def test_files_are_written_elsewhere(tmp_path: Path) -> None:
    net = Net(read_net(OUTPUT), folder=tmp_path)
    with files_apart(net) as files:
        net(x=np.ones((2, 3)), l=np.zeros((2, 3)))
        ((wanted, ours),) = files.items()
        assert wanted == tmp_path / "out.h5"
        assert ours.exists()
    assert not ours.exists()
    assert list(tmp_path.iterdir()) == []


def test_files_are_compared_set_by_set(tmp_path: Path) -> None:
    golden, ours = tmp_path / "golden.h5", tmp_path / "ours.h5"
    for path, sets in (
        (golden, {"data": [1.0, 2], "label": [3.0], "more": [4.0]}),
        (ours, {"data": [1.0, 2], "label": [5.0]}),
    ):
        with h5py.File(path, "w") as file:
            for name, values in sets.items():
                file[name] = values
    results = {result.key: result.problem for result in compare_files(golden, ours, 1e-5)}
    assert results == {"file/golden.h5/data": "", "file/golden.h5/label": "values", "file/golden.h5/more": "missing"}
    golden.write_text("no such thing")
    with pytest.raises(GoldenError, match=r"golden\.h5: is no HDF5 file"):
        list(compare_files(golden, ours, 1e-5))


def test_params_alone_are_compared_with_the_file_beside(root: Path, tmp_path: Path) -> None:
    fixture = Fixture.load(root / "golden" / "fixtures" / "formats" / "h5_int32.npz")
    assert fixture.has_params_alone
    assert all(result.ok for result in compare_weights(fixture))
    wrong = fixture.params | {("fc", 0): fixture.params["fc", 0] + np.float32(1e-6), ("no", 0): fixture.params["fc", 0]}
    results = list(compare_weights(dataclasses.replace(fixture, params=wrong)))
    problems = {result.key: result.problem for result in results if not result.ok}
    assert problems == {"h5_int32.caffemodel.h5/fc/0": "values", "h5_int32.caffemodel.h5/no/0": "missing"}
    with pytest.raises(GoldenError, match=r"no x\.caffemodel\(\.h5\) beside it has any"):
        list(compare_weights(dataclasses.replace(fixture, path=tmp_path / "x.npz")))
