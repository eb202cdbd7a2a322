"""A LevelDB read in the order of its keys, without a lock and without writing into its folder.

The folder's CURRENT names a manifest, which names the live tables (sorted, on levels) and the first log of what is in
no table yet. Of entries with one key the latest counts.
"""

from __future__ import annotations

import heapq
import os
import struct
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import IO, NamedTuple

from .snappy import unpack, varint

_RECORD = struct.Struct("<IHB")
_BLOCK = 1 << 15
"""Logs and manifests come in blocks of this size; no record's head crosses into the next."""
_FULL, _FIRST, _LAST = 1, 2, 4
_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FOOTER = 48
_TAG = 8
"""A table's keys end in so many bytes: whether the entry is a put or a deletion, and its sequence number."""
_BATCH = struct.Struct("<QI")
_ORDER = b"leveldb.BytewiseComparator"


class KeyValue(NamedTuple):
    """A key, minus its sequence number (so that of one key the latest comes first), and its value, None if deleted."""

    key: bytes
    age: int
    value: bytes | None


class Reader:
    """Numbers and texts one after another, as LevelDB writes them."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def number(self) -> int:
        """A varint."""
        value, self.at = varint(self.data, self.at)
        return value

    def take(self, length: int) -> bytes:
        """The next bytes."""
        self.at += length
        return self.data[self.at - length : self.at]

    def text(self) -> bytes:
        """As many bytes as a number before them says."""
        return self.take(self.number())


class Manifest(NamedTuple):
    """The live tables' numbers with their smallest keys, by level, and the number of the first live log."""

    levels: dict[int, list[tuple[bytes, int]]]
    first_log: int


def read_leveldb(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    """Every key and value; OSError, ValueError or IndexError if a file is missing or damaged."""
    manifest = _read_manifest(folder / (folder / "CURRENT").read_text().strip())
    runs: list[Iterator[KeyValue]] = []
    for level, tables in manifest.levels.items():
        paths = [_table(folder, number) for _, number in sorted(tables)]
        # Tables of one level follow one another, but for those on level 0, which overlap.
        runs += [_read_table(path) for path in paths] if level == 0 else [chain.from_iterable(map(_read_table, paths))]
    logs = sorted(path for path in folder.glob("*.log") if int(path.stem) >= manifest.first_log)
    runs.append(iter(sorted(chain.from_iterable(map(_read_log, logs)), key=_place)))
    for _, entries in groupby(heapq.merge(*runs, key=_place), key=lambda entry: entry.key):
        latest = next(entries)
        if latest.value is not None:
            yield latest.key, latest.value


def _place(entry: KeyValue) -> tuple[bytes, int]:
    return entry.key, entry.age


def _table(folder: Path, number: int) -> Path:
    paths = [folder / f"{number:06}.{suffix}" for suffix in ("ldb", "sst")]
    return next((path for path in paths if path.exists()), paths[0])


def _records(data: bytes) -> Iterator[bytes]:
    """The records of a log or manifest; one that the end cuts off was never finished and does not count."""
    record, at = b"", 0
    while at + _RECORD.size <= len(data):
        if _BLOCK - at % _BLOCK < _RECORD.size:
            at += _BLOCK - at % _BLOCK
            continue
        _, length, kind = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if kind == 0 or at + length > len(data):  # room that was set aside, or cut off
            return
        record = data[at : at + length] if kind in (_FULL, _FIRST) else record + data[at : at + length]
        at += length
        if kind in (_FULL, _LAST):
            yield record


def _read_manifest(path: Path) -> Manifest:
    """Replay the manifest's edits."""
    levels: dict[int, dict[int, bytes]] = defaultdict(dict)
    first_log = 0
    for edit in map(Reader, _records(path.read_bytes())):
        while edit:
            tag = edit.number()
            if tag == 1:  # the keys' order
                if (order := edit.text()) != _ORDER:
                    raise ValueError(f"keys are in the order {order.decode(errors='replace')}, not by their bytes")
            elif tag == 2:
                first_log = edit.number()
            elif tag in (3, 4, 9):  # the next file, the last sequence number, an older log
                edit.number()
            elif tag == 5:  # where a compaction of some level ended
                edit.number(), edit.text()
            elif tag == 6:  # a table is gone
                levels[edit.number()].pop(edit.number(), None)
            elif tag == 7:  # a table is new; behind its number come its size, its first and last key
                level, number, _, first, _ = (edit.number(), edit.number(), edit.number(), edit.text(), edit.text())
                levels[level][number] = first[:-_TAG]
            else:
                raise ValueError(f"{path.name} has an edit of the unknown kind {tag}")
    return Manifest({level: [(key, n) for n, key in tables.items()] for level, tables in levels.items()}, first_log)


def _read_log(path: Path) -> Iterator[KeyValue]:
    """The entries of a log: batches of puts and deletions, numbered on from the batch's first number."""
    for record in _records(path.read_bytes()):
        if len(record) < _BATCH.size:
            raise ValueError(f"{path.name} has a batch of entries that is cut short")
        sequence, count = _BATCH.unpack_from(record)
        batch = Reader(record, _BATCH.size)
        for number in range(sequence, sequence + count):
            put = batch.number()
            yield KeyValue(batch.text(), -number, batch.text() if put else None)


def _read_table(path: Path) -> Iterator[KeyValue]:
    """A table's entries: its footer leads to an index, whose values lead to blocks of entries."""
    with path.open("rb") as file:
        file.seek(-_FOOTER, os.SEEK_END)
        footer = Reader(file.read())
        if not footer.data.endswith(_MAGIC):
            raise ValueError(f"{path.name} is no table, or one cut short")
        footer.number(), footer.number()  # where other tables have a filter
        for _, place in _entries(_block(file, footer)):
            for key, value in _entries(_block(file, Reader(place))):
                tag = int.from_bytes(key[-_TAG:], "little")
                yield KeyValue(key[:-_TAG], -(tag >> 8), value if tag & 0xFF else None)


def _block(file: IO[bytes], place: Reader) -> bytes:
    """A block's bytes, unpacked; behind them the file has the kind of packing and a checksum."""
    start, length = place.number(), place.number()
    file.seek(start)
    data = file.read(length + 1)
    if len(data) <= length or data[length] not in (0, 1):
        raise ValueError(f"{Path(file.name).name} has a block that is cut short or packed in another way than Snappy's")
    return unpack(data[:length]) if data[length] else data[:length]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a block; each key takes up the start of the one before. Restart points end the block."""
    restarts = int.from_bytes(block[-4:], "little")
    reader, key = Reader(block[: len(block) - 4 * (restarts + 1)]), b""
    while reader:
        shared, rest, length = reader.number(), reader.number(), reader.number()
        key = key[:shared] + reader.take(rest)
        yield key, reader.take(length)
