"""A .caffemodel: read of any age and fork, written as each fork itself writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...errors import PrototxtError
from ...forks import FORKS
from ...text import V1_TYPES_BY_NUMBER
from ..format import Format, Listing
from ..layer_params import LayerParams
from ..weights import SavedLayer, Weights
from ..wire import (
    LENGTH,
    VARINT,
    Chunk,
    Dialect,
    Field,
    MappedFile,
    Message,
    WireError,
    blob_chunks,
    disguise,
    field,
    message_chunks,
    parse_blob,
    survey,
    write_chunks,
)

_NAME, _V1_LAYERS, _INPUT, _LAYER = 1, 2, 3, 100
_V0_IN_V1 = 1


@dataclass(frozen=True)
class _Numbers:
    """The field numbers of one generation of layers: all that is read of a layer, so its other params never matter."""

    name: int
    type: int
    blobs: int


_V0, _V1, _V2 = _Numbers(1, 2, 50), _Numbers(4, 5, 6), _Numbers(1, 2, 7)


def read_caffemodel(source: MappedFile) -> Weights:
    """Read a .caffemodel's layers by name, type and blobs; values stay in the file until a blob's `tensor()`."""
    what = disguise(source)
    try:
        weights = _read_net(source)
    except WireError as error:
        raise WireError(f"{source.path}: is {what}, not a .caffemodel" if what else str(error)) from None
    if not weights.layers:
        raise PrototxtError(f"{source.path}: {f'is {what},' if what else 'no layers in it:'} not a .caffemodel")
    return weights


def _read_net(source: MappedFile) -> Weights:
    message = source.message
    name, layers, generations = "", [], set()
    for item in message:
        if item.number == _NAME:
            name = message.text(item)
        elif item.number in (_V1_LAYERS, _LAYER):
            generations.add(item.number)
            layers.append(_read_layer(source, message.message(item), _V2 if item.number == _LAYER else _V1))
    if len(generations) > 1:
        raise PrototxtError(f"{source.path}: has both `layers` and `layer`, as no net may: which to read is unclear")
    return Weights(source.path, name, tuple(layers))


def _read_layer(source: MappedFile, message: Message, numbers: _Numbers) -> SavedLayer:
    name, kind = "", ""
    blobs: list[Field] = []
    for item in message:
        if item.number == numbers.name:
            name = message.text(item)
        elif item.number == numbers.type:
            kind = _v1_type(message.integer(item)) if numbers is _V1 else message.text(item)
        elif item.number == numbers.blobs:
            blobs.append(item)
        elif item.number == _V0_IN_V1 and numbers is _V1:
            return _read_layer(source, message.message(item), _V0)
    where = f"{source.path}: layer {name!r}, blob"
    parsed = (parse_blob(source, message.message(item), f"{where} {i}") for i, item in enumerate(blobs))
    return SavedLayer(name, kind, dict(enumerate(parsed)))


def _v1_type(number: int) -> str:
    return V1_TYPES_BY_NUMBER.get(number, str(number))


def _recognises(source: MappedFile) -> bool:
    """A net has no number as its first field, as a legacy blob and a solver's state have."""
    own = {(_NAME, LENGTH), (_V1_LAYERS, LENGTH), (_LAYER, LENGTH)}
    return (_NAME, VARINT) not in source.fields and not own.isdisjoint(source.fields)


def _list(source: MappedFile) -> Listing:
    weights = read_caffemodel(source)
    found = survey(source)
    facts = {
        "net": weights.net_name,
        "generation": found.generation,
        "phase": found.phase,
        "forks": [name for name in FORKS if name in found.forks],
        "signs": found.signs,
        "encodings": sorted(found.encodings),
    }
    return Listing("Caffe weights (.caffemodel)", facts, weights.layers)


def write_caffemodel(file: BinaryIO, net_name: str, layers: Iterable[LayerParams], dialect: Dialect) -> None:
    """Write the layers as a fork of Caffe would: in its field numbers, every layer, Splits and shared params, too."""
    chunks: list[Chunk] = [field(_NAME, net_name.encode())]
    for layer in layers:
        chunks += _layer_chunks(layer, dialect)
    write_chunks(file, chunks, CAFFEMODEL.suffix)


def _layer_chunks(layer: LayerParams, dialect: Dialect) -> list[Chunk]:
    """A layer as bytes and params to be written in turn."""
    if layer.message.type == "Input" and dialect.lacks_layer("Input"):
        # Before Input was a layer, Caffe wrote the names of a net's inputs.
        return [field(_INPUT, top.encode()) for top in layer.message.top]
    before, after = dialect.encode(layer.message, layer.where)
    blobs = (chunk for param in layer.params for chunk in blob_chunks(_V2.blobs, param))
    return message_chunks(_LAYER, [before, *blobs, after])


def _write(path: Path, net_name: str, layers: Sequence[LayerParams], dialect: Dialect) -> None:
    with open(path, "xb") as file:
        write_caffemodel(file, net_name, layers, dialect)


CAFFEMODEL = Format(
    "caffemodel", (".caffemodel",), _recognises, read_caffemodel, _list, _write, signed=False, dialects=True
)
