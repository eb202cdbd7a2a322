"""VOC's measure of a whole set: files of results, a curve for each class, the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...datasets import Floats, Picture
from .average_precision import ClassTruths, Curve, evaluate
from .voc_results import read_results, results_file, write_results


@dataclass(frozen=True)
class VocMeasure:
    """Curves by class, and how they were measured."""

    curves: dict[str, Curve]
    use_07: bool
    overlap: float

    @property
    def mean_ap(self) -> float:
        """The mean over the classes, one without objects included, as in the originals: 0 or, by area, NaN."""
        return float(np.mean([curve.ap for curve in self.curves.values()]))

    def lines(self) -> list[str]:
        """The table, in the originals' words, and behind them what each class has."""
        width = max(map(len, self.curves))
        lines = [f"VOC07 metric? {'Yes' if self.use_07 else 'No'}"]
        for name, curve in self.curves.items():
            reached = curve.recall[-1] if len(curve.recall) else 0.0
            told = f"recall {reached:.3f}" if curve.objects else "no objects"
            counts = f"{curve.objects:6} objects {len(curve.recall):8} detections   {told}"
            lines.append(f"AP for {name} = {curve.ap:.4f}{' ' * (width - len(name))}{counts}")
        return [*lines, f"Mean AP = {self.mean_ap:.4f}"]


def measure_voc(
    folder: Path,
    image_set: str,
    classes: Sequence[str],
    pictures: Sequence[Picture],
    found: Mapping[str, Floats],
    use_07: bool = True,
    overlap: float = 0.5,
) -> VocMeasure:
    """Write VOC's files of results (N×6 rows by picture, the class last) and measure what is in them, so rounded."""
    names = [picture.name for picture in pictures]
    curves = {}
    for label, name in enumerate(classes[1:], 1):
        path = results_file(folder, image_set, name)
        rows = ((picture, found[picture][found[picture][:, 5] == label, :5]) for picture in names)
        write_results(path, rows, force=True)
        curves[name] = evaluate(read_results(path, names), class_truths(pictures, name), overlap, use_07)
    return VocMeasure(curves, use_07, overlap)


def class_truths(pictures: Sequence[Picture], name: str) -> dict[str, ClassTruths]:
    """The objects of a class by picture, counted from 1 as VOC does; a crowd counts as difficult."""
    truths = {}
    for picture in pictures:
        things = [thing for thing in picture.things if thing.name == name]
        boxes = np.array([thing.box for thing in things], np.float64).reshape(-1, 4) + 1
        truths[picture.name] = ClassTruths(boxes, np.array([t.difficult or t.crowd for t in things], bool))
    return truths


def uses_07(folder: Path) -> bool:
    """Whether VOC's own measure of a folder is the eleven points: years before 2010, and folders without a year."""
    year = re.search(r"20[0-9]{2}", folder.name)
    return year is None or int(year[0]) < 2010
