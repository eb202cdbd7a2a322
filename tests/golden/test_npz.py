"""Files of arrays: damaged ones, and how they are written."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden import dump_caffe
from recaffe.golden.errors import GoldenError
from recaffe.golden.npz import npz_keys, read_joined, read_npz, write_npz

ARRAYS = {"top/conv1/3x3": np.arange(600, dtype=np.float32).reshape(2, 300), "phase": np.array("TEST")}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, ARRAYS)
    np.testing.assert_equal(read_npz(path), ARRAYS)
    assert npz_keys(path) == list(ARRAYS)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, ARRAYS)
    with pytest.raises(ValueError, match="Object arrays"):
        write_npz(path, {"a": np.array([object()])})
    np.testing.assert_equal(read_npz(path), ARRAYS)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match=r"none/a\.npz: cannot be written: No such file or directory$"):
        write_npz(tmp_path / "none" / "a.npz", ARRAYS)


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_cut_short(tmp_path: Path, compress: bool) -> None:
    path = tmp_path / "a.npz"
    (np.savez_compressed if compress else np.savez)(path, **ARRAYS)
    data = path.read_bytes()
    for size in range(0, len(data), 97):
        path.write_bytes(data[:size])
        with pytest.raises(GoldenError, match=r"^is no \.npz file, or one cut short$"):
            read_npz(path)
        assert npz_keys(path) is None


def test_a_damaged_byte_within_an_array(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **ARRAYS)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(GoldenError, match=r"^is no \.npz file, or a damaged one: Bad CRC-32"):
        read_npz(path)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.array([{}], object))
    with pytest.raises(GoldenError, match="Object arrays cannot be loaded"):
        read_npz(path)


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("no zip")
    with pytest.raises(GoldenError, match=r"^is no \.npz file"):
        read_npz(path)
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(GoldenError, match=r"^is no \.npz file"):
        read_npz(tmp_path / "b.npy")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(GoldenError, match=r"^holds 'readme\.txt', which is no array$"):
        read_npz(path)
    with pytest.raises(GoldenError, match=r"^cannot be read: No such file or directory$"):
        read_npz(tmp_path / "none.npz")
    with pytest.raises(GoldenError, match=r"^cannot be read: Is a directory$"):
        read_npz(tmp_path)


@pytest.mark.parametrize(
    ("harm", "path", "line"),
    [
        (Path.unlink, "a.test.npz", "lacks its piece a.test.001.npz, which should lie beside it"),
        (
            lambda path: path.write_bytes(path.with_name("a.test.000.npz").read_bytes()),
            "a.test.npz",
            "its piece a.test.001.npz is of another run, or damaged: it has another SHA-256",
        ),
        (lambda path: None, "a.test.001.npz", "is a piece of a.test.npz, which should lie beside it: name that file"),
    ],
)
def test_pieces_that_do_not_belong(harm: Callable[[Path], object], path: str, line: str, tmp_path: Path) -> None:
    writer = dump_caffe.Writer(str(tmp_path / "a.test.npz"), 100)
    for number in range(3):
        writer.add(f"top/{number}", np.full(30, number, np.float32))
    writer.close(prototxt=np.array(""), phase=np.array("TEST"))
    keys = ["top/0", "top/1", "top/2", "phase", "prototxt"]
    assert list(read_joined(tmp_path / "a.test.npz")) == keys
    harm(tmp_path / "a.test.001.npz")
    with pytest.raises(GoldenError) as error:
        read_joined(tmp_path / path)
    assert str(error.value) == line


@pytest.mark.parametrize("pieces", ["{", "[1]", "3"])
def test_a_list_of_pieces_that_is_none(pieces: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pieces=pieces)
    with pytest.raises(GoldenError, match=r"^key 'pieces' is not a JSON list of \[name, SHA-256\]: "):
        read_joined(tmp_path / "a.npz")
