"""NumPy's files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.formats.npz import read_npy, read_npz, write_npz
from recaffe.prototxt.net.net import Net

FORMATS = Path(__file__).parents[4] / "golden" / "fixtures" / "formats"
VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


@pytest.mark.parametrize(
    "values",
    [
        VALUES,
        np.asfortranarray(VALUES),
        VALUES.astype(">f8"),
        VALUES.astype(np.int16),
        VALUES > 3,
        np.float16(2.5),
        VALUES[:0],
    ],
    ids=["plain", "columns first", "big-endian", "integers", "truths", "scalar", "empty"],
)
def test_arrays_of_any_kind(values: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values)
    np.savez_compressed(tmp_path / "a.npz", a=values)
    for blob in (read_npy(str(tmp_path / "a.npy")), read_npz(str(tmp_path / "a.npz"))["a"]):
        assert blob.shape == values.shape
        assert blob.dtype == values.dtype.name
        assert np.array_equal(blob.tensor().numpy(), values)
        assert blob.tensor().shape == values.shape


@pytest.mark.parametrize("values", [np.array("a text"), np.zeros(3, np.complex64), np.zeros(3, "m8[s]")])
def test_what_is_no_number(values: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=values)
    blob = read_npz(str(tmp_path / "a.npz"))["a"]
    with pytest.raises(PrototxtError, match=rf"a\.npz: 'a' holds {blob.dtype[:4]}[^\n]*, which is no real number$"):
        blob.tensor()


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([{}], object))
    with pytest.raises(PrototxtError, match=r"a\.npz: 'a': holds pickled objects, which are not read$"):
        read_npz(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("shape", ["(2, 3, 5)", "(2, 3, 3)", "(1000000, 1000000, 1000000)"])
def test_a_shape_that_lies(shape: str, tmp_path: Path) -> None:
    data = npy(VALUES).replace(b"(2, 3, 4)", shape.encode(), 1)
    length = len(npy(VALUES)) - VALUES.nbytes
    data = data[:length].rstrip(b" \n").ljust(length - 1)[: length - 1] + b"\n" + VALUES.tobytes()
    (tmp_path / "a.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", data)
    for read in (lambda: read_npy(str(tmp_path / "a.npy")), lambda: read_npz(str(tmp_path / "a.npz"))):
        with pytest.raises(PrototxtError, match=r"has 96 bytes of values where its header needs \d+$"):
            read()


def test_a_zip_archive_of_other_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(PrototxtError, match=r"'readme\.txt': is a zip archive of other files, no \.npz$"):
        read_npz(str(tmp_path / "a.npz"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_key_that_comes_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", npy(VALUES))
        archive.writestr("a.npy", npy(VALUES))
    with pytest.raises(PrototxtError, match=r"a\.npz: 'a': holds it twice$"):
        read_npz(str(tmp_path / "a.npz"))


def test_what_is_written_has_caffes_names(lenet: Net) -> None:
    file = io.BytesIO()
    write_npz(file, params_of(lenet))
    file.seek(0)
    with np.load(FORMATS / "lenet.npz") as golden, np.load(file) as ours:
        keys = [key for key in golden.files if key.startswith("param/")]
        assert sorted(ours.files) == sorted(keys)
        assert all(ours[key].tobytes() == golden[key].tobytes() for key in keys)
        assert {ours[key].dtype for key in keys} == {np.dtype(np.float32)}


def test_what_is_written_does_not_know_the_time_of_day(lenet: Net) -> None:
    file = io.BytesIO()
    write_npz(file, params_of(lenet))
    assert {item.date_time for item in zipfile.ZipFile(file).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_second_file_has_the_same_bytes(lenet: Net) -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_npz(file, params_of(lenet))
    assert files[0].getvalue() == files[1].getvalue()


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez(stream, a=VALUES)
    content = bytearray(stream.getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(PrototxtError, match=r"a\.npz: 'a': is encrypted: save the arrays without a password$"):
        read_npz(str(tmp_path / "a.npz"))
