"""Layers as each of Caffe's forks writes them: the forks are dialects of one schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from ....layers import layer_class, registered
from ....nearest import did_you_mean
from ...caffe_pb2 import DESCRIPTOR, LayerParameter
from ...errors import PrototxtError
from ...forks import FORKS, Fork

_LAST_BEFORE_BLOBS = 6


class DialectError(PrototxtError):
    """A fork of Caffe has no name for what a net says."""


@dataclass(frozen=True)
class Dialect:
    """A fork's way of writing a layer: the fields that it has, under its own numbers."""

    fork: Fork

    def lacks_layer(self, kind: str) -> str:
        """The field without which the fork cannot have a layer type; empty where it has them all."""
        fields = layer_class(kind).messages if kind in registered() else ()
        return next((f"LayerParameter.{name}" for name in fields if f"LayerParameter.{name}" in self.fork.lacks), "")

    def encode(self, layer: LayerParameter, where: str) -> tuple[bytes, bytes]:
        """A layer without its blobs in the fork's own numbers, as the bytes before and after the blobs."""
        if lacking := self.lacks_layer(layer.type):
            raise self._refusal(where, lacking)
        message = self._layer()
        self._translate(layer, message, where)
        before = self._layer()
        before.CopyFrom(message)
        for entry, _ in message.ListFields():
            if entry.number > _LAST_BEFORE_BLOBS:
                before.ClearField(entry.name)
        data = message.SerializeToString(deterministic=True)
        return data[: before.ByteSize()], data[before.ByteSize() :]

    @cached_property
    def _layer(self) -> type[Message]:
        """LayerParameter as the fork has it."""
        file = FileDescriptorProto()
        DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            for items in (message.field, *(enum.value for enum in message.enum_type)):
                self._adapt(message.name, items)
        pool = DescriptorPool()
        pool.AddSerializedFile(file.SerializeToString())
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(LayerParameter.DESCRIPTOR.full_name))

    def _adapt(self, message: str, items: Any) -> None:
        """Keep of a message's fields, or of an enum's values, those of the fork, with its numbers."""
        known = [item for item in items if f"{message}.{item.name}" not in self.fork.lacks]
        for item in known:
            item.number = self.fork.numbers.get(f"{message}.{item.name}", item.number)
        del items[:]
        items.extend(known)

    def _translate(self, source: Message, target: Message, where: str) -> None:
        """Copy field by field, by name."""
        for entry, value in source.ListFields():
            twin = target.DESCRIPTOR.fields_by_name.get(entry.name)
            if twin is None:
                raise self._refusal(where, f"{source.DESCRIPTOR.name}.{entry.name}")
            if entry.message_type is not None:
                self._translate_messages(entry, value, target, where)
            elif entry.has_presence:
                setattr(target, entry.name, self._scalar(entry, twin.enum_type, value, where))
            else:
                getattr(target, entry.name).extend(self._scalar(entry, twin.enum_type, item, where) for item in value)

    def _translate_messages(self, entry: FieldDescriptor, value: Any, target: Message, where: str) -> None:
        if entry.has_presence:
            twin = getattr(target, entry.name)
            twin.SetInParent()
            self._translate(value, twin, where)
            return
        for item in value:
            self._translate(item, getattr(target, entry.name).add(), where)

    def _scalar(self, entry: Any, numbers: Any, value: Any, where: str) -> Any:
        """A value; of an enum the number that its name has in the fork."""
        if entry.enum_type is None:
            return value
        name = entry.enum_type.values_by_number[value].name
        if name not in numbers.values_by_name:
            raise self._refusal(where, f"{entry.containing_type.name}.{name}")
        return numbers.values_by_name[name].number

    def _refusal(self, where: str, lacking: str) -> DialectError:
        others = [name for name, dialect in DIALECTS.items() if lacking not in dialect.fork.lacks]
        way_out = f"dialect={' or '.join(others)}" if others else "another format"
        told = f"{lacking} is unknown to {self.fork.name}'s Caffe ({way_out} can hold it)"
        return DialectError(f"{where}: {told}", choices=("dialect",))


DIALECTS = {name: Dialect(fork) for name, fork in FORKS.items() if name != "ssd"}
"""Those that files are written in; SSD's are only read."""


def dialect_of(name: str) -> Dialect:
    """The dialect of a name; an unknown one is refused with the known."""
    if name not in DIALECTS:
        near = did_you_mean(name, DIALECTS) or f"; there are {', '.join(DIALECTS)}"
        raise DialectError(f"dialect={name}: there is no such dialect{near}", choices=("dialect",))
    return DIALECTS[name]
