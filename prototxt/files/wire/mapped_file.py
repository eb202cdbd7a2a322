"""An open file of weights."""

from __future__ import annotations

import io
import mmap
import os
import weakref
from functools import cached_property
from typing import Any

import numpy.typing as npt

from ...errors import PrototxtError
from .message import Message, WireError

_OTHERS = {b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"\x1f\x8b": "packed by gzip"}


class MappedFile:
    """A file that stays open: mapped privately, so that writing to a view of it never reaches the disk.

    Replacing the file by rename is safe while views live; writing into it is not.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            self._file = io.FileIO(path)
            weakref.finalize(self, self._file.close)
            self.size = os.fstat(self._file.fileno()).st_size
            # An empty file cannot be mapped, yet is a valid message without fields.
            self.map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY) if self.size else b""
        except OSError as error:
            raise PrototxtError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    @property
    def message(self) -> Message:
        """The whole file as one message."""
        return Message(self.path, self.map)

    @cached_property
    def fields(self) -> frozenset[tuple[int, int]]:
        """The numbers and wire types of that message's fields; of a damaged one, of those before the damage."""
        seen = set()
        try:
            for item in self.message:
                seen.add((item.number, item.kind))
        except WireError:
            pass  # what came before may tell
        return frozenset(seen)

    def starts_with(self, *magics: bytes) -> bool:
        """Whether the first bytes are one of these."""
        return bytes(self.map[: max(map(len, magics))]).startswith(magics)

    def read_into(self, buffer: npt.NDArray[Any], start: int) -> None:
        """Fill a buffer with the file's bytes from `start` on."""
        rest = buffer.data.cast("B")
        self._file.seek(start)
        while rest:
            count = self._file.readinto(rest)
            if not count:
                raise WireError(f"{self.path}: byte {self._file.tell()}: the file became shorter while it was read")
            rest = rest[count:]


def disguise(source: MappedFile) -> str:
    """What a file is that is none of weights, where it can be told."""
    head = bytes(source.map[:256])
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            return what
    text = head.strip() and all(byte >= 32 or byte in b"\t\n\r" for byte in head)
    return "text" if text else ""
