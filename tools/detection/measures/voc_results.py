"""VOC's files of results: for each class a line `PICTURE SCORE X1 Y1 X2 Y2` for each detection, counted from 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ....prototxt.files import whole_file
from ...datasets import DataFileError
from ..detections import Rows
from .average_precision import ClassDetections


def results_file(folder: Path, image_set: str, name: str) -> Path:
    """Where a class's detections lie: the name that VOC's competitions ask for."""
    return folder / f"comp4_det_{image_set}_{name}.txt"


def write_results(path: Path, pictures: Iterable[tuple[str, Rows]], force: bool = False) -> None:
    """Write a class's detections: scores with three digits, coordinates with one, as the originals round them."""
    with whole_file(path, force) as part, part.open("w", encoding="utf-8") as file:
        for name, rows in pictures:
            for x1, y1, x2, y2, score in rows + np.array([1, 1, 1, 1, 0], np.float32):
                file.write(f"{name} {score:.3f} {x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f}\n")


def read_results(path: Path, known: Sequence[str]) -> ClassDetections:
    """Read such a file; a line of another form, or of a picture that is not among the known, is refused."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(path, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    names, numbers, pictures = [], np.zeros((len(lines), 5)), set(known)
    for row, line in enumerate(lines):
        words = line.split()
        try:
            numbers[row] = [float(word) for word in words[1:]]
        except ValueError:
            raise DataFileError(path, row + 1, f"expected PICTURE SCORE X1 Y1 X2 Y2, got {line!r}") from None
        if words[0] not in pictures:
            raise DataFileError(path, row + 1, f"picture {words[0]!r} is not in the set")
        names.append(words[0])
    return ClassDetections(np.array(names, str), numbers[:, 0], numbers[:, 1:])
