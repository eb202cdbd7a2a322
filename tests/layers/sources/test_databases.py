import builtins
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.sources import databases
from recaffe.layers.sources.databases import cycle_database


def make(path: Path, *keys: bytes) -> Path:
    with lmdb.open(str(path), map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for number, key in enumerate(keys):
            transaction.put(key, b"%d" % number)
    (path / "lock.mdb").unlink()
    return path


@pytest.mark.parametrize("chunk", [1, 2, 3, 64])
def test_items_come_in_the_order_of_bytes_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(databases, "_CHUNK", chunk)
    path = make(tmp_path / "db", b"k2", b"k10", b"k3")
    want = [(b"k10", b"1"), (b"k2", b"0"), (b"k3", b"2")]
    assert list(islice(cycle_database("LMDB", path), 7)) == [*want, *want, want[0]]
    assert [file.name for file in path.iterdir()] == ["data.mdb"]


def test_two_read_one_database(tmp_path: Path) -> None:
    path = make(tmp_path / "db", b"a", b"b")
    one, two = cycle_database("LMDB", path), cycle_database("LMDB", path / "data.mdb")
    assert [next(one)[0], next(two)[0], next(one)[0], next(two)[0]] == [b"a", b"a", b"b", b"b"]


def test_what_is_no_database(tmp_path: Path, fixtures_dir: Path) -> None:
    inputs = fixtures_dir / "data_layers" / "inputs"
    faults = [
        ("LMDB", tmp_path / "none", "none: cannot be read as LMDB: no such file or folder"),
        ("LMDB", tmp_path, "cannot be read as LMDB: No such file or directory"),
        ("LMDB", inputs / "list.txt", "list.txt: cannot be read as LMDB: MDB_INVALID"),
        ("LMDB", inputs / "raw_leveldb", "is another kind of database: say backend: LEVELDB"),
        ("LMDB", make(tmp_path / "db"), "db: the LMDB has no items"),
        ("LEVELDB", tmp_path / "none", "none: cannot be read as LEVELDB: no such file or folder"),
        ("LEVELDB", inputs / "raw_lmdb", "is another kind of database: say backend: LMDB"),
        ("LEVELDB", inputs / "list.txt", "cannot be read as LEVELDB: .*Not a directory"),
    ]
    for backend, path, message in faults:
        with pytest.raises(LayerError, match=message):
            next(cycle_database(backend, path))


def test_without_the_package_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "lmdb":
            raise ImportError
        return right(name, *rest)

    path = make(tmp_path / "db", b"a")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LayerError, match=r"pip install 'recaffe\[lmdb\]'"):
        next(cycle_database("LMDB", path))
