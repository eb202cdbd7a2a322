"""What stands for a layer in written code, and who writes it for which type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ....layers import Layer, Shape
from ...errors import PrototxtError
from ...net import Node
from ..refusals import UNEXPORTED, UNKNOWN


class ExportError(PrototxtError):
    """A net, or a layer of it, has no form in another program."""


@dataclass(frozen=True)
class Code:
    """One layer: the expression for its tops, and what is made once."""

    call: str
    module: str = ""
    """What the constructor of the written module assigns to the layer's name; empty where nothing is to be made."""
    state: Mapping[str, Tensor] = field(default_factory=dict)
    """Its tensors by their names in that module; "" is the module itself, a bare parameter."""
    uses: tuple[Callable[..., Any], ...] = ()
    """Functions and classes that torch lacks: they are written as well."""


@dataclass(frozen=True)
class Site:
    """Where a layer stands: its node, the shapes of its bottoms, and its name in the written module (`self.conv1`)."""

    node: Node
    shapes: tuple[Shape, ...]
    me: str

    def refusal(self, reason: str) -> ExportError:
        """The error for a layer that cannot be written."""
        return ExportError(f"{self.node}: cannot be written as code: {reason}")


Writer = Callable[..., Code]
_writers: dict[str, Writer] = {}


def writes(*types: str) -> Callable[[Writer], Writer]:
    """Register a function (layer, site, *bottoms) -> Code for layer types; bottoms are the names of variables."""

    def add(writer: Writer) -> Writer:
        for name in types:
            if name in _writers:
                raise ExportError(f"layer type {name} has a writer already: {_writers[name].__name__}")
            _writers[name] = writer
        return writer

    return add


def written_types() -> set[str]:
    """The types that can be written."""
    return set(_writers)


def write_layer(layer: Layer, site: Site, bottoms: list[str]) -> Code:
    """One layer's code."""
    if layer.type not in _writers:
        raise site.refusal(UNEXPORTED.get(layer.type, UNKNOWN))
    return _writers[layer.type](layer, site, *bottoms)


def arguments(*plain: object, **named: object) -> str:
    """What stands between the parentheses of a call; keywords that are None are left out."""
    return ", ".join([*map(repr, plain), *(f"{k}={v!r}" for k, v in named.items() if v is not None)])
