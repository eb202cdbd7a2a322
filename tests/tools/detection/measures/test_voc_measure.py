"""VOC's files and table of a whole set are the originals'."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recaffe.tools.datasets.annotations.pictures import Picture, Thing
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.detector import Detector
from recaffe.tools.detection.measures.voc_measure import class_truths, measure_voc, uses_07
from recaffe.tools.detection.measures.voc_results import results_file
from recaffe.tools.detection.selection import stacked


def test_files_and_table(folder: Path, voc: VocSet, detector_of: Callable[[str], Detector], tmp_path: Path) -> None:
    detector, pictures = detector_of("frcnn"), voc.pictures()
    found = {picture.name: stacked(detector(picture.path).rows) for picture in pictures}
    measure = measure_voc(tmp_path, "test", detector.classes, pictures, found)
    for name in detector.classes[1:]:
        want = results_file(folder / "evaluation" / "frcnn", "test", name)
        assert (tmp_path / want.name).read_text() == want.read_text()
    printed = (folder / "evaluation" / "frcnn" / "printed.txt").read_text().splitlines()
    wanted = [line for line in printed if "AP" in line or "VOC07" in line]
    assert len(wanted) == 5
    assert [line[: len(want)] for line, want in zip(measure.lines(), wanted, strict=True)] == wanted
    assert measure.lines()[1] == "AP for disc = 0.0061      8 objects       93 detections   recall 0.125"


def test_a_class_that_is_nowhere(voc: VocSet, tmp_path: Path) -> None:
    pictures = voc.pictures()
    nothing = {picture.name: np.zeros((0, 6), np.float32) for picture in pictures}
    measure = measure_voc(tmp_path, "test", ("__background__", "disc", "ghost"), pictures, nothing, use_07=False)
    assert measure.lines() == [
        "VOC07 metric? No",
        "AP for disc = 0.0000      8 objects        0 detections   recall 0.000",
        "AP for ghost = 0.0000     0 objects        0 detections   no objects",
        "Mean AP = 0.0000",
    ]


def test_truths_count_from_1_and_crowds_are_difficult() -> None:
    things = (
        Thing("a", (0, 1, 2, 3), (0, 0, 0, 0), 1, 1, difficult=True),
        Thing("a", (4, 5, 6, 7), (0, 0, 0, 0), 1, 1, crowd=True),
        Thing("a", (4, 5, 6, 8), (0, 0, 0, 0), 1, 1),
        Thing("b", (4, 5, 6, 9), (0, 0, 0, 0), 1, 1),
    )
    truths = class_truths([Picture("p", Path("p"), None, things, Path("p"), 1)], "a")
    assert truths["p"].boxes.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [5, 6, 7, 9]]
    assert truths["p"].difficult.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("name", "points"), [("VOC2007", True), ("VOC2012", False), ("mine", True), ("VOC2010", False)]
)
def test_years(name: str, points: bool) -> None:
    assert uses_07(Path(name)) is points
