"""What was likely meant, for the errors of the text reader."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from ...nearest import by_likeness, nearest
from ..caffe_pb2 import DESCRIPTOR, LayerParameter, NetParameter, V0LayerParameter, V1LayerParameter
from ..forks import whose
from .upgrade import V1_TYPES

_OLD = (V0LayerParameter.DESCRIPTOR, V1LayerParameter.DESCRIPTOR)
_OUTER = (NetParameter.DESCRIPTOR, LayerParameter.DESCRIPTOR)


def unknown_field(message: Descriptor, name: str) -> str:
    """Say that a message has no such field, and the field or the message that was probably meant."""
    start = f"{message.name} has no field {name}"
    names = list(message.fields_by_name)
    homes = [home for home in DESCRIPTOR.message_types_by_name.values() if name in home.fields_by_name]
    today = [home for home in homes if home not in _OLD]
    near = nearest(name, names, 0.8 if homes else 0.6)
    near = near or [other for other in names if name in other and not homes]
    if near and not today:
        fork = whose(f"{message.name}.{near[0]}")
        return f"{start}; did you mean {near[0]}{f' ({fork})' if fork else ''}?"
    if homes:
        outside = any(home in _OUTER for home in homes) and message not in (*_OUTER, *_OLD)
        brace = "; is a } missing before it?" if outside else ""
        return f"{start}; this field belongs in {_one_of(_home(home, name) for home in today or homes)}{brace}"
    return f"{start}; it has {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


def unknown_value(message: Descriptor, field: str, enum: EnumDescriptor, value: str) -> str:
    """Say that an enum has no such value, and which it has, the nearest first."""
    plain = value.strip("\"'")
    names = by_likeness(plain, enum.values_by_name)
    if message is V1LayerParameter.DESCRIPTOR and plain in V1_TYPES.values():
        old = next(name for name, today in V1_TYPES.items() if today == plain)
        return f"{field} of the old layers {{ }} takes {old}, not {value}; strings are for today's layer {{ }}"
    return f"{field} takes {_one_of(names, 5)}, not {value}"


def no_string(message: Descriptor, field: str, value: str) -> str:
    """Say that a string is wanted, and how it would be written."""
    text = f"{field} takes a string, not {value}"
    if message is LayerParameter.DESCRIPTOR and V1_TYPES.get(value):
        return f'{text}; did you mean "{V1_TYPES[value]}"?'
    return f'{text}; did you mean "{value}"?' if value.isidentifier() else text


def _home(home: Descriptor, name: str) -> str:
    """A message, the field that it is written under, and whose it is."""
    fork = whose(f"{home.name}.{name}")
    for parent in _OUTER:
        for field in parent.fields:
            if field.message_type is home:
                words = [field.name, fork or whose(f"{parent.name}.{field.name}")]
                return f"{home.name} ({', '.join(filter(None, words))})"
    return f"{home.name} ({fork})" if fork else home.name


def _one_of(names: Iterable[str], most: int = 3) -> str:
    """`a`, `a or b`, `a, b or c`, or the first of many and an ellipsis."""
    items = list(names)
    if len(items) > most:
        return ", ".join([*items[:most], "..."])
    return " or ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
