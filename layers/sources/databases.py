"""Databases of items, read in the byte order of their keys, without locks and without writing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..base import LayerError
from .leveldb import read_leveldb

Pair = tuple[bytes, bytes]
_CHUNK = 64
"""Items read from an LMDB at a time."""


def cycle_database(backend: str, path: Path) -> Iterator[Pair]:
    """Every key and value of an LMDB or LEVELDB, again and again."""
    read = {"LMDB": _read_lmdb, "LEVELDB": _read_leveldb}[backend]
    key = None
    while True:
        for key, value in read(path):
            yield key, value
        if key is None:
            raise LayerError(f"{path}: the {backend} has no items")


def _read_lmdb(path: Path) -> Iterator[Pair]:
    last = b""
    while chunk := _lmdb_chunk(path, last):
        yield from chunk
        last, _ = chunk[-1]


def _lmdb_chunk(path: Path, last: bytes) -> list[Pair]:
    """The items behind the key `last`. A process may open an LMDB only once at a time, so none stays open."""
    try:
        import lmdb  # here, as only nets with an LMDB need it
    except ImportError:
        raise LayerError("needs the package lmdb to read an LMDB: pip install 'recaffe[lmdb]'") from None
    try:
        with (
            lmdb.open(str(path), subdir=path.is_dir(), readonly=True, create=False, lock=False) as environment,
            environment.begin() as transaction,
            transaction.cursor() as cursor,
        ):
            found = cursor.set_range(last) and (cursor.key() != last or cursor.next())
            return list(islice(cursor.iternext(), _CHUNK)) if found else []
    except lmdb.Error as error:
        raise _unreadable(path, "LMDB", error) from None


def _read_leveldb(path: Path) -> Iterator[Pair]:
    try:
        yield from read_leveldb(path)
    except (OSError, ValueError, IndexError) as error:
        raise _unreadable(path, "LEVELDB", error) from None


def _unreadable(path: Path, backend: str, error: Exception) -> LayerError:
    other = {"LMDB": ("CURRENT", "LEVELDB"), "LEVELDB": ("data.mdb", "LMDB")}[backend]
    if (path / other[0]).exists():
        return LayerError(f"{path}: is another kind of database: say backend: {other[1]}")
    reason = "no such file or folder" if not path.exists() else str(error).removeprefix(f"{path}: ")
    return LayerError(f"{path}: cannot be read as {backend}: {reason}")
