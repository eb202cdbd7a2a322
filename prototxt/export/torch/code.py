"""What a layer becomes in written code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ....layers import Shape


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
    """Where a layer is written: the shapes of its bottoms, and its name in the written module (`self.conv1`)."""

    shapes: tuple[Shape, ...]
    me: str


def arguments(*plain: object, **named: object) -> str:
    """What is between the parentheses of a call; keywords that are None are left out."""
    return ", ".join([*map(repr, plain), *(f"{k}={v!r}" for k, v in named.items() if v is not None)])


def zeros(shape: tuple[int, ...]) -> str:
    """A parameter of zeros."""
    return f"nn.Parameter(torch.zeros({arguments(*shape) or '()'}))"
