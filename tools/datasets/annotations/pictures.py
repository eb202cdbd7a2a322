"""What annotations say of a picture, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataFileError

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2, counted from 0, x2 and y2 the last pixels inside."""
Size = tuple[int, int]
"""Width and height."""
BACKGROUND = "__background__"


@dataclass(frozen=True, slots=True)
class Thing:
    """One annotated object, the `number`-th of its file; `given` are the numbers of its box as they are there."""

    name: str
    box: Box
    given: Box
    line: int
    number: int
    difficult: bool = False
    crowd: bool = False
    area: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its objects; `file` and `line` are where it is annotated, `size` is what it says, if anything."""

    name: str
    path: Path
    size: Size | None
    things: tuple[Thing, ...]
    file: Path
    line: int


@dataclass(frozen=True)
class Truths:
    """A picture's objects to train on, K of them: boxes (K, 4) of whole pixels, classes, areas, and who is a crowd."""

    boxes: NDArray[np.uint16]
    classes: NDArray[np.int32]
    areas: NDArray[np.float32]
    crowd: NDArray[np.bool_]

    @classmethod
    def of(cls, boxes: list[Box], classes: list[int], areas: list[float], crowd: list[bool]) -> Truths:
        """From lists; coordinates are cut to whole pixels, as the originals do."""
        whole = np.array(boxes, np.float64).reshape(-1, 4).astype(np.uint16)
        return cls(whole, np.array(classes, np.int32), np.array(areas, np.float32), np.array(crowd, bool))


class PictureSet(Protocol):
    """A set of annotated pictures; `classes` begin with the background."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, the background first."""

    def pictures(self) -> list[Picture]:
        """The pictures, in the set's order."""

    def truths(self, picture: Picture, size: Size) -> Truths:
        """What to train on, of a picture of that size."""


def class_number(classes: tuple[str, ...], picture: Picture, thing: Thing) -> int:
    """The number of an object's class; an unknown one is refused."""
    if thing.name not in classes[1:]:
        known = ", ".join(classes[1:])
        raise DataFileError(picture.file, thing.line, f"class {thing.name!r} is unknown (known: {known})")
    return classes.index(thing.name)


def numbers(box: Box | NDArray[Any]) -> str:
    """A box as text."""
    return f"({', '.join(f'{float(value):g}' for value in box)})"
