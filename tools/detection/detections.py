"""What was found in a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
"""N×5: x1, y1, x2, y2 in pixels of the picture, counted from 0, the last one inside; score."""


@dataclass(frozen=True)
class Detection:
    """One object."""

    name: str
    score: float
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2, counted from 0."""

    def as_json(self) -> dict[str, Any]:
        """Plain data, with the digits that a float32 has."""
        return {
            "class": self.name,
            "score": round(self.score, 6),
            "box": [round(corner, 3) for corner in self.box],
        }


@dataclass(frozen=True)
class Detections:
    """Every object of a picture, the surest first when they are iterated over."""

    classes: Sequence[str]
    """Their names; class 0 is the background."""
    rows: Sequence[Rows]
    """For each class, by descending score; the background's are none."""

    def __len__(self) -> int:
        return sum(map(len, self.rows))

    def __iter__(self) -> Iterator[Detection]:
        found = [
            Detection(name, float(row[4]), (float(row[0]), float(row[1]), float(row[2]), float(row[3])))
            for name, rows in zip(self.classes, self.rows, strict=True)
            for row in rows
        ]
        return iter(sorted(found, key=lambda detection: -detection.score))

    def of(self, name: str) -> Rows:
        """The rows of one class."""
        return self.rows[self.classes.index(name)]
