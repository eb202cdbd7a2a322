"""Files that cannot be opened, or change while they are read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.wire.mapped_file import MappedFile
from recaffe.prototxt.files.wire.message import WireError


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PrototxtError) as error:
        MappedFile(tmp_path / "none.caffemodel")
    assert str(error.value) == f"{tmp_path}/none.caffemodel: cannot be read: No such file or directory"


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match=r"cannot be read: Is a directory$"):
        MappedFile(tmp_path)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> io.FileIO:
        raise PermissionError(13, "Permission denied")  # what chmod does to all users but root

    monkeypatch.setattr(io, "FileIO", refuse)
    with pytest.raises(PrototxtError, match=r"a\.caffemodel: cannot be read: Permission denied$"):
        MappedFile(tmp_path / "a.caffemodel")


def test_bytes_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(9)))
    buffer = np.empty(4, np.uint8)
    MappedFile(path).read_into(buffer, 3)
    assert buffer.tolist() == [3, 4, 5, 6]


def test_a_file_cut_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(9))
    source = MappedFile(path)
    path.write_bytes(bytes(5))
    with pytest.raises(WireError, match=r"byte 5: the file became shorter while it was read$"):
        source.read_into(np.empty(4, np.uint8), 3)


def test_the_file_is_closed_with_its_source(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1")
    source = MappedFile(path)
    file = source._file
    del source
    assert file.closed
