"""Protobuf's wire format, read in place: a message is its numbered fields, none is copied."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...errors import PrototxtError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""The wire types in use; 3 and 4 were groups, which no Caffe file has."""
WIDTHS = {FIXED64: 8, FIXED32: 4}
_KINDS = {VARINT: "a number", FIXED64: "eight bytes", LENGTH: "a run of bytes", FIXED32: "four bytes"}
_LARGEST_NUMBER = (1 << 29) - 1
_LONGEST_VARINT = 10

Bytes = bytes | memoryview | mmap.mmap


class WireError(PrototxtError):
    """The bytes are not the message they should be."""


class Field(NamedTuple):
    """One field: its payload is the bytes `start` to `end` of the file, a varint's also `value`.

    Fixed-width fields of one number that follow one another are one Field, which says how often it `repeats` and ends
    after the last.
    """

    number: int
    kind: int
    start: int
    end: int
    value: int = 0
    repeats: int = 1


class Message:
    """The fields of a message that lies in a file's bytes at `start` to `end`."""

    def __init__(self, path: str, data: Bytes, start: int = 0, end: int | None = None) -> None:
        self.path = path
        self.data = data
        self.start = start
        self.end = len(data) if end is None else end

    def __iter__(self) -> Iterator[Field]:
        at = self.start
        while at < self.end:
            field = self._field(at)
            yield field
            at = field.end

    def message(self, field: Field) -> Message:
        """A field that is itself a message."""
        self.expect(field, LENGTH)
        return Message(self.path, self.data, field.start, field.end)

    def text(self, field: Field) -> str:
        """A field that is a string."""
        self.expect(field, LENGTH)
        return bytes(self.data[field.start : field.end]).decode(errors="backslashreplace")

    def integer(self, field: Field) -> int:
        """A field that is a signed integer."""
        self.expect(field, VARINT)
        return _signed(field.value)

    def integers(self, field: Field) -> list[int]:
        """A repeated signed integer: one of its values, or a packed run of them."""
        if field.kind != LENGTH:
            return [self.integer(field)]
        packed, at, values = self.message(field), field.start, []
        while at < field.end:
            value, at = packed._varint(at)
            values.append(_signed(value))
        return values

    def expect(self, field: Field, *kinds: int) -> None:
        """Refuse a field that is not written as one of these wire types."""
        if field.kind not in kinds:
            wanted = " or ".join(_KINDS[kind] for kind in kinds)
            raise self.error(field.start, f"field {field.number} holds {_KINDS[field.kind]}, not {wanted}")

    def error(self, at: int, what: str) -> WireError:
        """The error for what is wrong at a byte of the file."""
        return WireError(f"{self.path}: byte {at}: {what} (a damaged file, or not one of Caffe's)")

    def _field(self, at: int) -> Field:
        tag, start = self._varint(at)
        number, kind = tag >> 3, tag & 7
        if not 1 <= number <= _LARGEST_NUMBER:
            raise self.error(at, f"no field has the number {number}")
        if kind == VARINT:
            value, end = self._varint(start)
            return Field(number, kind, start, end, value)
        if kind == LENGTH:
            length, start = self._varint(start)
        elif kind in WIDTHS:
            length = WIDTHS[kind]
        else:
            raise self.error(at, f"field {number} has the wire type {kind}, which Caffe's files never have")
        if length > self.end - start:
            left = self.end - start
            raise self.error(at, f"field {number} claims {length} bytes where its message has {left} left")
        if kind == LENGTH or start - at > 1:
            return Field(number, kind, start, start + length)
        repeats = self._repeats(at, 1 + length)
        return Field(number, kind, start, at + repeats * (1 + length), repeats=repeats)

    def _varint(self, at: int) -> tuple[int, int]:
        """The varint that starts there and where it ends."""
        value = 0
        for position in range(at, min(at + _LONGEST_VARINT, self.end)):
            byte = self.data[position]
            value |= (byte & 0x7F) << 7 * (position - at)
            if byte < 0x80:
                if value >> 64:
                    break
                return value, position + 1
        if self.end - at < _LONGEST_VARINT:
            raise self.error(at, "its message ends within a number")
        raise self.error(at, "a number has more than 64 bits")

    def _repeats(self, at: int, stride: int) -> int:
        """How many fields in a row have the one-byte tag found there, each `stride` bytes; looked for by leaps."""
        tag, most = self.data[at], (self.end - at) // stride
        count, leap = 1, 16
        while count < most:
            window = (min(leap, most - count),)
            tags = np.ndarray(window, np.uint8, self.data, at + count * stride, (stride,))
            others = np.flatnonzero(tags != tag)
            if others.size:
                return count + int(others[0])
            count, leap = count + window[0], leap * 4
        return count


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
