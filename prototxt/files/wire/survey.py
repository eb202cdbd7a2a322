"""Which Caffe wrote a .caffemodel, as far as the fields that lie in it tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from ...caffe_pb2 import LayerParameter
from ...forks import FORKS, Fork
from .mapped_file import MappedFile
from .message import FIXED32, FIXED64, LENGTH, VARINT, Message, WireError

_REQUIRED = {
    "ClipParameter": {"min", "max"},
    "PSROIPoolingParameter": {"spatial_scale", "output_dim", "group_size"},
    "BoxAnnotatorOHEMParameter": {"roi_per_img"},
}
"""What the forks demand, where our schema demands nothing: by it messages of one number are told apart."""
_KINDS = {
    FieldDescriptor.CPPTYPE_FLOAT: FIXED32,
    FieldDescriptor.CPPTYPE_DOUBLE: FIXED64,
    FieldDescriptor.CPPTYPE_STRING: LENGTH,
    FieldDescriptor.CPPTYPE_MESSAGE: LENGTH,
}
_LAYERS, _LAYER, _FLAT, _PHASE = 2, 100, 1, 10
_BLOBS = {"V0": 50, "V1": 6, "V2": 7}
_PHASES = {0: "TRAIN", 1: "TEST"}
_ENCODINGS = {
    **{(number, VARINT): "legacy dims" for number in (1, 2, 3, 4)},
    (5, FIXED32): "values one by one",
    (6, LENGTH): "diffs",
    (8, LENGTH): "double_data",
    (8, FIXED64): "double_data",
    (9, LENGTH): "diffs",
    (12, LENGTH): "raw_data",
}


@dataclass
class Survey:
    """What is found beside names, types and values."""

    generation: str = ""
    """V2 has `layer`, V1 `layers`, V0 one flat message in each of `layers`."""
    phase: str = ""
    """Of the net that Caffe took a snapshot of: it writes it into every layer."""
    forks: set[str] = field(default_factory=lambda: set(FORKS))
    """Those that have every field found; none where no known fork has."""
    signs: dict[str, list[str]] = field(default_factory=dict)
    """Fields that not all forks have, and those that do."""
    encodings: set[str] = field(default_factory=set)
    """How blobs are written, where it is not plain packed float data under a shape."""


def survey(source: MappedFile) -> Survey:
    """Look through the fields of all layers; values are stepped over."""
    found = Survey()
    message = source.message
    for item in message:
        if item.number == _LAYER:
            found.generation = "V2"
            layer = message.message(item)
            _survey_params(found, layer)
            _survey_blobs(found, layer)
        elif item.number == _LAYERS:
            layer = message.message(item)
            flat = [layer.message(inner) for inner in layer if inner.number == _FLAT]
            found.generation = "V0" if flat else "V1"
            _survey_blobs(found, *flat or [layer])
    return found


def _survey_params(found: Survey, layer: Message) -> None:
    """Note the phase, and the forks that do not have what the layer says."""
    for item in layer:
        if item.number == _PHASE:
            found.phase = _PHASES.get(item.value, "")
        elif item.number != _BLOBS["V2"]:
            one = Message(layer.path, layer.data, item.start, item.end)
            names = {
                name: entry.name
                for name, fork in FORKS.items()
                if (entry := _fields(fork.name, LayerParameter.DESCRIPTOR).get(item.number))
                and _suits(fork, entry, item.kind, one)
            }
            if len(names) < len(FORKS):
                told = " or ".join(dict.fromkeys(names.values()))
                found.signs[f"{item.number} {told}".strip()] = list(names)
                found.forks &= set(names)


def _suits(fork: Fork, entry: FieldDescriptor, kind: int, content: Message) -> bool:
    """Whether a fork could have written this for its field."""
    if kind != _KINDS.get(entry.cpp_type, VARINT):
        return kind == LENGTH and entry.is_repeated  # packed numbers
    return entry.message_type is None or _holds(fork, entry.message_type, content)


def _holds(fork: Fork, kind: Descriptor, content: Message) -> bool:
    """Whether bytes are a message as a fork knows it."""
    fields = _fields(fork.name, kind)
    seen = set()
    try:
        for item in content:
            entry = fields.get(item.number)
            inside = Message(content.path, content.data, item.start, item.end)
            if entry is None or not _suits(fork, entry, item.kind, inside):
                return False
            seen.add(entry.name)
    except WireError:
        return False
    return _REQUIRED.get(kind.name, set()) <= seen


@cache
def _fields(fork: str, kind: Descriptor) -> dict[int, FieldDescriptor]:
    """A fork's fields of a message by its own numbers."""
    known = FORKS[fork]
    named = {f"{kind.name}.{entry.name}": entry for entry in kind.fields}
    return {known.numbers.get(name, e.number): e for name, e in named.items() if name not in known.lacks}


def _survey_blobs(found: Survey, layer: Message) -> None:
    for item in layer:
        if item.number == _BLOBS[found.generation]:
            inside = ((inner.number, inner.kind) for inner in layer.message(item))
            found.encodings |= {_ENCODINGS[key] for key in inside if key in _ENCODINGS}
