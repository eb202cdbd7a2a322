import shutil
import struct
from pathlib import Path

import pytest

from recaffe.layers.sources.databases import cycle_database
from recaffe.layers.sources.leveldb import read_leveldb


@pytest.fixture
def inputs(fixtures_dir: Path) -> Path:
    return fixtures_dir / "data_layers" / "inputs"


def test_a_database_of_caffes_is_its_lmdb(inputs: Path) -> None:
    pairs = list(read_leveldb(inputs / "raw_leveldb"))
    lmdb = cycle_database("LMDB", inputs / "raw_lmdb")
    assert [key for key, _ in pairs][:2] == [b"00000000_a.png", b"00000001_b.png"]
    assert pairs == [next(lmdb) for _ in pairs]


def test_the_latest_of_each_key_counts(inputs: Path) -> None:
    """In the order of writing: 000 to 199, every third again, every fifth deleted, every tenth again, and the log."""
    want = {b"%03d" % n: (b"first " if n % 3 else b"second") * n for n in range(200) if n % 5}
    want |= {b"%03d" % n: b"third " * n for n in range(0, 200, 10) if n != 20}
    want |= {b"010": b"in the log", b"long": bytes(range(256)) * 129, b"\xff\x00": b""}
    assert list(read_leveldb(inputs / "mixed_leveldb")) == sorted(want.items())


def record(data: bytes, kind: int = 1) -> bytes:
    return struct.pack("<IHB", 0, len(data), kind) + data


def text(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def make(folder: Path, edit: bytes = b"\x02\x05", log: bytes = b"") -> Path:
    """A database of a log alone, number 5; number 4 is an old one."""
    (folder / "CURRENT").write_text("MANIFEST-000002\n")
    (folder / "MANIFEST-000002").write_bytes(record(edit))
    (folder / "000004.log").write_bytes(record(b"old"))
    (folder / "000005.log").write_bytes(log)
    return folder


def batch(sequence: int, *entries: bytes) -> bytes:
    return struct.pack("<QI", sequence, len(entries)) + b"".join(entries)


def put(key: bytes, value: bytes) -> bytes:
    return b"\x01" + text(key) + text(value)


def test_a_log_alone(tmp_path: Path) -> None:
    first = batch(1, put(b"b", b"1"), put(b"a", b"2"), put(b"c", b"3"))
    log = record(first) + record(batch(4, b"\0" + text(b"b"), put(b"c", b"4")))
    assert list(read_leveldb(make(tmp_path, log=log))) == [(b"a", b"2"), (b"c", b"4")]


def test_a_record_in_pieces_and_one_that_was_never_finished(tmp_path: Path) -> None:
    data = batch(1, put(b"a", b"1"), put(b"b", b"2"))
    pieces = record(data[:5], 2) + record(data[5:9], 3) + record(data[9:], 4)
    unfinished = record(batch(3, put(b"c", b"3")))[:-2]
    assert list(read_leveldb(make(tmp_path, log=pieces + unfinished))) == [(b"a", b"1"), (b"b", b"2")]


def test_a_batch_cut_short(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"000005\.log has a batch of entries that is cut short"):
        list(read_leveldb(make(tmp_path, log=record(b"abc"))))


def test_edits_of_all_kinds(tmp_path: Path) -> None:
    table = b"\x07\x01\x09\x50" + text(b"a" * 9) + text(b"b" * 9)
    edit = b"\x01" + text(b"leveldb.BytewiseComparator") + b"\x02\x05\x03\x0a\x04\x0b\x09\x00"
    edit += b"\x05\x01" + text(b"k" * 9) + table + b"\x06\x01\x09"
    log = record(batch(1, put(b"a", b"1")))
    assert list(read_leveldb(make(tmp_path, edit, log))) == [(b"a", b"1")]


@pytest.mark.parametrize(
    ("edit", "message"),
    [(b"\x01" + text(b"mine"), "in the order mine, not by their bytes"), (b"\x08\x01", "of the unknown kind 8")],
)
def test_manifests_that_cannot_be_followed(tmp_path: Path, edit: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(read_leveldb(make(tmp_path, edit)))


def test_damaged_tables(inputs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "db"
    shutil.copytree(inputs / "mixed_leveldb", folder)
    (path,) = folder.glob("000015.ldb")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(ValueError, match=r"000015\.ldb is no table"):
        list(read_leveldb(folder))
    path.write_bytes(data[:300] + data[-600:])
    with pytest.raises((ValueError, IndexError)):
        list(read_leveldb(folder))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        list(read_leveldb(folder))
