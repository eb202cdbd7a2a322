"""Files appear whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.whole_file import whole_file


def write(target: Path, content: bytes, fault: BaseException | None = None, *, force: bool = False) -> None:
    """Write to the place aside, and fail then."""
    with whole_file(target, force) as part:
        part.write_bytes(content)
        if fault is not None:
            raise fault


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "net.caffemodel.h5"
    with whole_file(target) as part:
        part.write_bytes(b"all")
        assert part.parent == tmp_path
        assert part.name.endswith(".caffemodel.h5")
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["net.caffemodel.h5"]
    assert target.read_bytes() == b"all"


@pytest.mark.parametrize("fault", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_after_a_fault_there_is_nothing(fault: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(fault)):
        write(tmp_path / "a.npz", b"half", fault)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PrototxtError) as error:
        write(tmp_path / "a.npz", b"half", OSError(errno.ENOSPC, "write failed:\n a long story"))
    assert str(error.value) == f"{tmp_path / 'a.npz'}: cannot be written: No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    target = tmp_path / "a.pt"
    write(target, b"old")
    with pytest.raises(PrototxtError, match=r"a\.pt: exists already \(force=True replaces it\)"):
        write(target, b"new")
    with pytest.raises(ValueError, match="no"):
        write(target, b"half", ValueError("no"), force=True)
    assert target.read_bytes() == b"old"
    write(target, b"new", force=True)
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.pt"
    writing = whole_file(target)
    writing.__enter__().write_bytes(b"ours")
    target.write_bytes(b"theirs")
    with pytest.raises(PrototxtError, match="exists already"):
        writing.__exit__(None, None, None)
    assert target.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(PrototxtError, match="is a folder"):
        write(tmp_path, b"", force=True)
    with pytest.raises(PrototxtError, match=r"a\.pt: cannot be written: No such file"):
        write(tmp_path / "lost" / "a.pt", b"")
