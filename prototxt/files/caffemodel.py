"""A .caffemodel of any age and fork: its layers and their blobs."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import PrototxtError
from ..text import V1_TYPES_BY_NUMBER
from .blob_proto import parse_blob
from .mapped_file import MappedFile
from .sniff import disguise
from .weights import SavedLayer, Weights
from .wire import Field, Message, WireError

_NAME, _V1_LAYERS, _LAYER = 1, 2, 100
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
