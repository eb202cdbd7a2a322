"""A draw of a layer: its fields and the other bottoms that it wants, or nothing where it does not suit a blob."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

Shape = tuple[int, ...]
T = TypeVar("T")


class Dice:
    """Choices of one random generator."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def one(self, choices: Iterable[T]) -> T:
        return self.random.choice(list(choices))

    def upto(self, low: int, high: int) -> int:
        return self.random.randint(low, max(low, high))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def number(self, low: float, high: float) -> float:
        return round(self.random.uniform(low, high), 2)

    def axis(self, axes: int, first: int = 0, last: int | None = None) -> int:
        """An axis, counted from either end."""
        axis = self.upto(first, axes - 1 if last is None else last)
        return axis - axes if self.chance(0.3) else axis

    def some(self, **fields: Any) -> dict[str, Any]:
        """Each of the fields, or it is left out."""
        return {name: value for name, value in fields.items() if self.chance(0.5)}


@dataclass(frozen=True)
class Feed:
    """An input of the net: its shape, what numbers it holds, and up to which."""

    shape: Shape
    kind: str = "normal"
    most: int = 1


@dataclass(frozen=True)
class Drawn:
    """A layer as it was drawn: its message's fields, its other bottoms, its number of tops."""

    fields: dict[str, Any] = field(default_factory=dict)
    others: Sequence[Feed] = ()
    again: int = 0
    """How many more blobs of its first bottom's shape it takes before the others."""
    tops: int = 1
    in_place: bool = True
    """Whether Caffe takes it in place, where it has one bottom and one top."""
    read_on: int = 99
    """How many of its tops other layers may read and learn through."""


Draw = Callable[[Shape, Dice], Drawn | None]
DRAWS: dict[str, Draw] = {}


def draws(*types: str) -> Callable[[Draw], Draw]:
    def enter(draw: Draw) -> Draw:
        assert not DRAWS.keys() & set(types), types
        DRAWS.update(dict.fromkeys(types, draw))
        return draw

    return enter
