"""A graph of ONNX nodes while it is drawn: plain names and arrays, so that no converter needs the package onnx."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = npt.NDArray[Any]


@dataclass
class Op:
    """One node: an operator, the values that it takes and gives, and its attributes."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, object] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Body:
    """A graph within a node, from rows of numbers to such; it may read what is before the node as well."""

    ops: list[Op]
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True)
class Result:
    """A blob: its value's name, its lengths (None where they differ from run to run), and whether it is an output."""

    blob: str
    value: str
    lengths: list[int | None]
    is_output: bool


class Draft:
    """The nodes in the order they run, the arrays that they take, and every name that is in use."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.ops: list[Op] = []
        self.arrays: dict[str, Array] = {}
        self._names = set(reserved)
        self._op_names: set[str] = set()
        self._params: dict[tuple[int, tuple[int, ...]], str] = {}

    def new_name(self, wish: str) -> str:
        """A name for a value: as wished, numbered where that is taken."""
        return _free(wish, self._names)

    def new_op_name(self, wish: str) -> str:
        """A name for a node."""
        return _free(wish, self._op_names)

    def add_array(self, wish: str, array: Array) -> str:
        """Hold an array; gives its name."""
        name = self.new_name(wish)
        self.arrays[name] = array
        return name

    def add_param(self, wish: str, stored: Tensor, shape: tuple[int, ...]) -> str:
        """Hold a param, the layers that share it together one array."""
        key = id(stored), shape
        if key not in self._params:
            array = np.asarray(stored.detach().cpu().contiguous().numpy()).reshape(shape)
            self._params[key] = self.add_array(wish, array)
        return self._params[key]


def _free(wish: str, taken: set[str]) -> str:
    names = (wish if number == 1 else f"{wish}#{number}" for number in count(1))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name
