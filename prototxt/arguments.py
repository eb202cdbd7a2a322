"""From a layer's message to the keywords of its class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import yaml
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ..layers.fillers import Filler
from ..layers.layer import Layer, LayerError
from ..layers.registry import layer_class, registered
from .caffe_pb2 import BlobShape, FillerParameter, LayerParameter
from .config import Config, YamlLoader


def make_layer(message: LayerParameter, phase: str, config: Config, context: Mapping[str, object]) -> Layer:
    """Make the layer of a message; `context` holds what a constructor may ask for by name: rng, generator."""
    cls = _class_of(message)
    fields = _param_str(message) if message.type == "Python" else _fields(message, cls.messages)
    accepted = inspect.signature(cls).parameters
    unknown = [name for name in fields if name not in accepted]
    if unknown:
        raise LayerError(f"does not know {', '.join(unknown)}; it takes {', '.join(accepted)}")
    offered = {keyword: config[key.format(phase=phase)] for keyword, key in cls.config.items()}
    context = {**context, "phase": phase, "given": frozenset(fields)}
    offered |= {name: value for name, value in context.items() if name in accepted}
    try:
        return cls(**{**offered, **fields})
    except TypeError as error:
        raise LayerError(str(error).removeprefix(f"{cls.__name__}.__init__() ")) from error


def _class_of(message: LayerParameter) -> type[Layer]:
    if message.type != "Python":
        return layer_class(message.type)
    name = f"{message.python_param.module}.{message.python_param.layer}"
    classes = registered()
    if name not in classes:
        known = ", ".join(known for known in classes if "." in known)
        raise LayerError(
            f"Python layer {name} is not known (known: {known}); write it as a Layer class and @register({name!r}) it"
        )
    return classes[name]


def _param_str(message: LayerParameter) -> dict[str, Any]:
    """The keywords of a Python layer: a YAML mapping."""
    text = message.python_param.param_str
    try:
        value = yaml.load(text, YamlLoader) or {}
    except yaml.YAMLError as error:
        raise LayerError(f"param_str {text!r} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise LayerError(f"param_str {text!r} is not a mapping such as \"'feat_stride': 16\"")
    return {str(key): item for key, item in value.items()}


def _fields(message: LayerParameter, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that are set in the named sub-messages, as plain Python."""
    out: dict[str, Any] = {}
    for name in names:
        for field, value in getattr(message, name).ListFields():
            repeated = not field.has_presence
            out[field.name] = tuple(_plain(field, v) for v in value) if repeated else _plain(field, value)
    return out


def _plain(field: FieldDescriptor, value: Any) -> Any:
    """One value: an enum as its name, a filler and a shape as the layers know them."""
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if not isinstance(value, Message):
        return value
    if isinstance(value, FillerParameter):
        return Filler(**{f.name: _plain(f, v) for f, v in value.ListFields()})
    if isinstance(value, BlobShape):
        return tuple(value.dim)
    return {f.name: _plain(f, v) for f, v in value.ListFields()}
