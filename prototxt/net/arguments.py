"""From a layer's message to the keywords of its class."""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from torch import Tensor

from ...layers import Filler, Layer, LayerError, layer_class, registered
from ...layers.sources import Transformation
from ..caffe_pb2 import BlobShape, FillerParameter, LayerParameter
from ..errors import PrototxtError
from ..files import read_blob, read_datum
from ..text import Config, read_param_str

_BLOB_FILES = {"InfogainLossParameter.source", "TransformationParameter.mean_file"}
"""Fields that name a .binaryproto: the keyword is the blob in it."""


def make_layer(message: LayerParameter, phase: str, config: Config, context: Mapping[str, object]) -> Layer:
    """Make the layer of a message; `context` holds what a constructor may ask for by name: rng, generator, seeds."""
    cls = _class_of(message)
    folder = str(context.get("folder", ""))
    fields = read_param_str(message) if message.type == "Python" else _fields(message, cls.messages, folder)
    accepted = inspect.signature(cls).parameters
    _refuse_unknown(fields, accepted)
    offered = {keyword: config[key.format(phase=phase)] for keyword, key in cls.config.items()}
    context = {**context, "phase": phase, "given": frozenset(fields)}
    context |= {"top_names": tuple(message.top), "read_datum": read_datum}
    if "transform_param" in accepted:
        offered["transform_param"] = _transformation(message, folder)
    offered |= {name: value for name, value in context.items() if name in accepted}
    try:
        return cls(**{**offered, **fields})
    except TypeError as error:
        raise LayerError(str(error).removeprefix(f"{cls.__name__}.__init__() ")) from error


def _refuse_unknown(fields: Mapping[str, Any], accepted: Collection[str]) -> None:
    if unknown := [name for name in fields if name not in accepted]:
        raise LayerError(f"does not know {', '.join(unknown)}; it takes {', '.join(accepted)}")


def _transformation(message: LayerParameter, folder: str) -> Transformation | None:
    if not message.HasField("transform_param"):
        return None
    fields = _fields(message, ("transform_param",), folder)
    _refuse_unknown(fields, inspect.signature(Transformation).parameters)
    return Transformation(**fields)


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


def _fields(message: LayerParameter, names: tuple[str, ...], folder: str) -> dict[str, Any]:
    """The fields that are set in the named sub-messages, as plain Python; files are looked for from `folder` on."""
    out: dict[str, Any] = {}
    for name in names:
        for field, value in getattr(message, name).ListFields():
            if field.has_presence:
                out[field.name] = _plain(field, value, folder)
            else:
                out[field.name] = tuple(_plain(field, v, folder) for v in value)
    return out


def _plain(field: FieldDescriptor, value: Any, folder: str) -> Any:
    """One value: an enum as its name, a filler, a shape and a file's blob as the layers know them."""
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if field.full_name.partition(".")[2] in _BLOB_FILES:
        return _blob(os.path.join(folder, value))
    if not isinstance(value, Message):
        return value
    if isinstance(value, FillerParameter):
        return Filler(**{f.name: _plain(f, v, folder) for f, v in value.ListFields()})
    if isinstance(value, BlobShape):
        return tuple(value.dim)
    return {f.name: _plain(f, v, folder) for f, v in value.ListFields()}


def _blob(path: str) -> Tensor:
    """The blob of a file that a layer needs before it runs."""
    try:
        return read_blob(path).tensor()
    except PrototxtError as error:
        raise LayerError(str(error)) from error
