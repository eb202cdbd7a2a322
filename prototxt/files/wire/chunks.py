"""Messages on their way into a file: bytes, and blobs whose values are written straight from where they lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import BinaryIO

from ...caffe_pb2 import BlobShape
from ...errors import PrototxtError
from ..layer_params import ParamValues
from .message import LENGTH

_BLOB_DATA, _BLOB_SHAPE = 5, 7
_LIMIT = (1 << 31) - 1
"""What Caffe reads at most."""
_FLOAT = 4

Chunk = bytes | ParamValues


def write_chunks(file: BinaryIO, chunks: Iterable[Chunk], suffix: str) -> None:
    """Write a message that lies in bytes and params, unless Caffe could not read one that large."""
    chunks = list(chunks)
    size = _size(chunks)
    if size > _LIMIT:
        raise PrototxtError(f"a {suffix} of {size} bytes is more than Caffe reads ({_LIMIT}): write {suffix}.h5")
    for chunk in chunks:
        if isinstance(chunk, bytes):
            file.write(chunk)
        else:
            file.writelines(piece.data for piece in chunk.pieces())


def field(number: int, content: bytes) -> bytes:
    """A field that is a run of bytes."""
    return _head(number, len(content)) + content


def message_chunks(number: int, chunks: list[Chunk]) -> list[Chunk]:
    """A field that is a message."""
    return [_head(number, _size(chunks)), *chunks]


def blob_chunks(number: int, param: ParamValues) -> Iterator[Chunk]:
    """A BlobProto as a field: its values, then its shape; what is empty is not written."""
    count = prod(param.shape) * _FLOAT
    data = _head(_BLOB_DATA, count) if count else b""
    shape = field(_BLOB_SHAPE, BlobShape(dim=param.shape).SerializeToString()) if param.shape else b""
    yield _head(number, len(data) + count + len(shape)) + data
    yield param
    yield shape


def _size(chunks: Iterable[Chunk]) -> int:
    return sum(len(chunk) if isinstance(chunk, bytes) else prod(chunk.shape) * _FLOAT for chunk in chunks)


def _head(number: int, length: int) -> bytes:
    return _varint(number << 3 | LENGTH) + _varint(length)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
