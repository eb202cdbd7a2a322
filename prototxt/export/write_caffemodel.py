"""Writing .caffemodel files as Caffe itself writes them, blobs straight from where their values lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import BinaryIO

from ..caffe_pb2 import BlobShape, LayerParameter
from ..errors import PrototxtError
from ..files import LENGTH, Dialect
from ..net import PHASES
from .net_params import OutLayer, OutParam

_NET_NAME, _NET_INPUT, _NET_LAYER = 1, 3, 100
_LAYER_BLOBS = 7
_BLOB_DATA, _BLOB_SHAPE = 5, 7
_LIMIT = (1 << 31) - 1
"""What Caffe reads at most."""
_FLOAT = 4

Chunk = bytes | OutParam


def write_caffemodel(file: BinaryIO, net_name: str, phase: str, layers: Iterable[OutLayer], dialect: Dialect) -> None:
    """Write the layers as a fork of Caffe would: in its field numbers, every layer, Splits and shared params, too."""
    chunks: list[Chunk] = [field(_NET_NAME, net_name.encode())]
    for layer in layers:
        chunks += _layer_chunks(layer, phase, dialect)
    write_chunks(file, chunks, ".caffemodel")


def write_chunks(file: BinaryIO, chunks: Iterable[Chunk], suffix: str) -> None:
    """Write a message that lies in bytes and params, unless Caffe could not read one that large."""
    chunks = list(chunks)
    size = sum(map(_size, chunks))
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


def _layer_chunks(layer: OutLayer, phase: str, dialect: Dialect) -> list[Chunk]:
    """A layer as bytes and params to be written in turn."""
    if layer.node.type == "Input" and dialect.lacks_layer("Input"):
        # Before Input was a layer, Caffe wrote the names of a net's inputs.
        return [field(_NET_INPUT, top.encode()) for top in layer.node.tops]
    before, after = dialect.encode(as_set_up(layer, phase), str(layer.node))
    chunks: list[Chunk] = [before]
    for param in layer.params:
        chunks += blob_chunks(_LAYER_BLOBS, param)
    chunks.append(after)
    return [_head(_NET_LAYER, sum(map(_size, chunks))), *chunks]


def as_set_up(layer: OutLayer, phase: str) -> LayerParameter:
    """A layer's message as Caffe holds it once the net is set up."""
    message = LayerParameter()
    message.CopyFrom(layer.node.message)
    message.ClearField("blobs")
    if not message.HasField("phase"):
        message.phase = PHASES[phase]
    if layer.layer.is_loss and not message.loss_weight:
        message.loss_weight.append(1)
    if layer.layer.statistics:
        for _ in layer.params[len(message.param) :]:
            message.param.add(lr_mult=0)
    return message


def blob_chunks(number: int, param: OutParam) -> Iterator[Chunk]:
    """A BlobProto as a field: its values, then its shape; what is empty is not written."""
    count = prod(param.shape) * _FLOAT
    data = _head(_BLOB_DATA, count) if count else b""
    shape = field(_BLOB_SHAPE, BlobShape(dim=param.shape).SerializeToString()) if param.shape else b""
    yield _head(number, len(data) + count + len(shape)) + data
    yield param
    yield shape


def _size(chunk: Chunk) -> int:
    return len(chunk) if isinstance(chunk, bytes) else prod(chunk.shape) * _FLOAT


def _head(number: int, length: int) -> bytes:
    return _varint(number << 3 | LENGTH) + _varint(length)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
