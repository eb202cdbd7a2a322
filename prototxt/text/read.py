"""Prototxt files and text: read, upgraded to today's form, printed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from ..caffe_pb2 import LayerParameter, NetParameter, SolverParameter, V1LayerParameter
from .parser import Parser
from .tokens import SourceText
from .tokens import TextError as TextError
from .upgrade import upgrade_net, upgrade_solver
from .upgrade_v0 import UpgradeError

M = TypeVar("M", bound=Message)
_BINARY = "binary data, perhaps weights?"
LineColumn = tuple[int, int]


@dataclass(frozen=True)
class NetText:
    """A net in today's form, and where it came from."""

    net: NetParameter
    name: str = "<text>"
    """The file's path, or `<text>`."""
    places: Mapping[str, LineColumn] = field(default_factory=dict)
    """Layer name -> line and column of its first layer { }."""
    notes: tuple[str, ...] = ()
    """What was upgraded, what was dropped on the way, and where bytes are that are not UTF-8."""

    def where(self, layer: str) -> str:
        """`file:line` of a layer, or the file where the layer was not written there."""
        return f"{self.name}:{self.places[layer][0]}" if layer in self.places else self.name


def read_net(source: str | os.PathLike[str]) -> NetText:
    """Read a net of any age from a file, or from text: a str that has a line break or a brace."""
    text = _load(source)
    net = NetParameter()
    places = _parse(text, net)
    try:
        notes = (*text.notes(), *upgrade_net(net))
    except UpgradeError as error:
        raise UpgradeError(f"{NetText(net, text.name, places).where(error.layer)}: {error}") from error
    return NetText(net, text.name, places, notes)


def read_solver(source: str | os.PathLike[str]) -> SolverParameter:
    """Read a solver of any age from a file, or from text: a str that has a line break or a brace."""
    text = _load(source)
    solver = SolverParameter()
    _parse(text, solver)
    try:
        upgrade_solver(solver)
    except UpgradeError as error:
        raise UpgradeError(f"{text.name}: {error}") from error
    return solver


def parse(text: str, message: M, name: str = "<text>") -> M:
    """Read text into a message, which is emptied first, and give it back."""
    message.Clear()
    _parse(SourceText(name, text), message)
    return message


def print_text(message: Message) -> str:
    """The message as text that every Caffe reads: one field a line, no lists, and only ASCII characters."""
    return text_format.MessageToString(message, as_utf8=False)


def is_text(source: str | os.PathLike[str]) -> bool:
    """Whether it is text itself rather than a file's path."""
    return isinstance(source, str) and ("\n" in source or "{" in source)


def _load(source: str | os.PathLike[str]) -> SourceText:
    if is_text(source):
        return SourceText("<text>", str(source))
    name = str(Path(source))
    try:
        data = Path(source).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TextError(f"{name}: cannot be read: {reason}") from error
    try:
        # Caffe's reader, too, steps over the mark that some editors put first.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if 0 in data:
            raise TextError(f"{name}: is no prototxt: byte {error.start} is not UTF-8 text ({_BINARY})") from error
        # Caffe takes bytes as they are in comments and strings, GBK or Latin-1.
        text = data.decode("utf-8-sig", "surrogateescape")
    if "\0" in text:
        raise TextError(f"{name}: is no prototxt: byte {data.index(0)} is zero ({_BINARY})")
    return SourceText(name, text)


def _parse(source: SourceText, message: Message) -> dict[str, LineColumn]:
    """Read into an empty message; the places are those of a net's layers."""
    parser = Parser(source)
    parser.read(message)
    places: dict[str, LineColumn] = {}
    for layer, start in parser.layers:
        places.setdefault(_name(layer), source.place(start))
    return places


def _name(layer: LayerParameter | V1LayerParameter) -> str:
    return (layer.layer.name if isinstance(layer, V1LayerParameter) else "") or layer.name
