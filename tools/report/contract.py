"""The layer types with their fields and defaults, and a type's contract, from the code itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from ...layers import Arity, Filler, Layer, registered
from ...layers.sources import Transformation
from ...nearest import nearest
from ...prototxt import LayerParameter
from .errors import ReportError

_OFFERED = {"phase", "rng", "generator", "given"}
"""What a net hands to a Python layer's constructor beside what its param_str says."""
_KINDS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
}


@dataclass(frozen=True)
class Keyword:
    """One keyword of a layer: where it is written, what it takes, and what it is when nothing is written."""

    name: str
    place: str
    """A message of LayerParameter; param_str of a Python layer; or config."""
    takes: str
    default: str
    """As prototxt writes it; empty where there is none."""
    key: str = ""
    """The config's key."""


def find_type(name: str) -> tuple[str, type[Layer]]:
    """A type by its name, a Python layer by its class alone too."""
    types = registered()
    short = {known.rpartition(".")[2]: known for known in types}
    known = short.get(name, name)
    if known not in types:
        names = nearest(name, short, 0.5, count=3, fold=True)
        hint = f"; did you mean {' or '.join(names)}?" if names else "; recaffe layers lists them"
        raise ReportError(f"unknown layer type {name!r}{hint}")
    return known, types[known]


def types_text(types: Mapping[str, type[Layer]]) -> str:
    """A line for each type: its fields, and their defaults."""
    width = max(map(len, types))
    return "\n".join(f"{name:{width}}  {' '.join(map(_short, fields_of(cls)))}".rstrip() for name, cls in types.items())


def fields_of(cls: type[Layer]) -> list[Keyword]:
    """The keywords of a layer's constructor that a prototxt or the config decides, in the constructor's order."""
    keywords = dict(inspect.signature(cls).parameters)
    messages = cls.messages
    if keywords.pop("transform_param", None):
        keywords |= inspect.signature(Transformation).parameters
        messages += ("transform_param",)
    schema = _schema(messages)
    fields = []
    for name, parameter in keywords.items():
        if name in schema:
            place, takes = schema[name][0], _takes(schema[name][1])
        elif name in cls.config:
            place, takes = "config", str(parameter.annotation)
        elif "." in cls.type and name not in _OFFERED:
            place, takes = "param_str", str(parameter.annotation)
        else:
            continue
        fields.append(Keyword(name, place, takes, _default(parameter.default, takes), cls.config.get(name, "")))
    return fields


def _schema(names: Sequence[str]) -> dict[str, tuple[str, FieldDescriptor]]:
    """The fields of some messages of LayerParameter, and whose they are, by name."""
    messages: dict[str, Any] = {name: LayerParameter.DESCRIPTOR.fields_by_name[name].message_type for name in names}
    return {field.name: (name, field) for name, message in messages.items() for field in message.fields}


def _takes(field: FieldDescriptor) -> str:
    """The type of a field: an enum as its values."""
    if field.enum_type is not None:
        plain = " | ".join(value.name for value in field.enum_type.values)
    elif field.message_type is not None:
        plain = field.message_type.name
    else:
        plain = _KINDS[field.type]
    return f"repeated {plain}" if field.is_repeated else plain


def _default(value: Any, takes: str) -> str:
    """A default as prototxt writes it."""
    if value is inspect.Parameter.empty or value is None or value == ():
        return ""
    if isinstance(value, Filler):
        return value.type
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return f'"{value}"' if takes == "string" else str(value)


def _short(field: Keyword) -> str:
    return f"{field.name}={field.default}" if field.default else field.name


def _arity(arity: Arity, role: str) -> str:
    return f"{arity} {role}{'' if str(arity).endswith('1') else 's'}"


def contract_json(name: str, cls: type[Layer]) -> dict[str, object]:
    """A contract as plain data."""
    return {
        "type": name,
        "module": cls.__module__,
        "contract": inspect.getdoc(cls),
        "bottoms": asdict(cls.bottoms),
        "tops": asdict(cls.tops),
        "paired": cls.paired,
        "is_loss": cls.is_loss,
        "fields": [asdict(field) for field in fields_of(cls)],
    }


def contract_text(name: str, cls: type[Layer]) -> str:
    """A contract to read: the docstring, what goes in and out, and every field."""
    tops = "as many tops" if cls.paired else _arity(cls.tops, "top")
    lines = [f"{name}: {_arity(cls.bottoms, 'bottom')}, {tops}", "", inspect.getdoc(cls) or ""]
    fields = fields_of(cls)
    for place in dict.fromkeys(field.place for field in fields):
        here = [field for field in fields if field.place == place]
        width = max(len(field.name) for field in here)
        lines += ["", place]
        for field in here:
            default = f" = {field.default}" if field.default else ""
            key = f"  {field.key}" if field.key else ""
            lines.append(f"  {field.name:{width}}  {field.takes}{default}{key}")
    return "\n".join(lines)
