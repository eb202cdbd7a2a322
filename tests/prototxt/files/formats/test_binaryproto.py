"""Blobs in files of their own beside what Caffe holds of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.formats.binaryproto import read_blob

FORMATS = Path(__file__).parents[4] / "golden" / "fixtures" / "formats"


@pytest.mark.parametrize("name", ["mean", "mean_legacy", "mean_tool", "blob_double", "blob_scalar"])
def test_values_are_those_that_caffe_holds(name: str) -> None:
    blob = read_blob(FORMATS / f"{name}.binaryproto")
    with np.load(FORMATS / f"{name}.npz") as golden:
        assert blob.shape == golden["mean"].shape
        assert blob.dtype == golden["mean"].dtype.name
        assert np.array_equal(blob.tensor().numpy(), golden["mean"].astype(np.float32))
        assert np.array_equal(np.concatenate(list(blob.pieces())), blob.tensor().flatten().numpy())


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = (FORMATS / "mean.binaryproto").read_bytes()
    path = tmp_path / "mean.binaryproto"
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        with pytest.raises(PrototxtError, match=r"^[^\n]+$"):
            read_blob(path).tensor()


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "mean.binaryproto").write_bytes(b"")
    with pytest.raises(PrototxtError, match=r"mean\.binaryproto: holds no values: not a \.binaryproto$"):
        read_blob(tmp_path / "mean.binaryproto")
