"""VOC's measure is the originals', digit by digit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.measures.average_precision import ClassDetections, ClassTruths, average_precision, evaluate
from recaffe.tools.detection.measures.voc_measure import class_truths
from recaffe.tools.detection.measures.voc_results import read_results, results_file

from ..conftest import Golden

SETS = ("frcnn", "synthetic_distinct", "synthetic_ties", "synthetic_many_ties")


def test_average_precision(golden: Callable[[str], Golden]) -> None:
    want = golden("voc_ap")
    cases = {key.split("/")[0] for key in want}
    assert len(cases) == 20
    for case in cases:
        curve = want[f"{case}/rec"], want[f"{case}/prec"]
        assert average_precision(*curve, use_07=True) == want[f"{case}/ap_07"]
        assert average_precision(*curve, use_07=False) == want[f"{case}/ap_area"]


@pytest.mark.parametrize("name", SETS)
def test_curves(name: str, folder: Path, golden: Callable[[str], Golden], voc: VocSet) -> None:
    want, pictures = golden(f"evaluation/{name}"), voc.pictures()
    keys = {key.rpartition("/")[0] for key in want if "/" in key}
    assert keys
    for key in keys:
        label, metric, overlap = key.split("/")
        truths = class_truths(pictures, label)
        found = read_results(results_file(folder / "evaluation" / name, "test", label), list(truths))
        curve = evaluate(found, truths, float(overlap), metric == "07")
        if f"{key}/error" in want:  # the originals fail where nothing is found
            assert (len(found.scores), len(curve.recall), curve.ap) == (0, 0, 0.0)
            continue
        # Of equal scores the earlier line comes first.
        assert np.array_equal(curve.recall, want[f"{key}/stable_rec"], equal_nan=True), key
        assert np.array_equal(curve.precision, want[f"{key}/stable_prec"]), key
        assert np.array_equal(curve.ap, want[f"{key}/stable_ap"], equal_nan=True), key


def found(*rows: tuple[str, float, float]) -> ClassDetections:
    """Detections 10 pixels wide and high, by picture, score and left side."""
    boxes = np.array([[x, 0, x + 9, 9] for _, _, x in rows], np.float64).reshape(-1, 4)
    return ClassDetections(
        np.array([name for name, _, _ in rows], str), np.array([score for _, score, _ in rows]), boxes
    )


def truths(*lefts: float, difficult: tuple[bool, ...] = ()) -> ClassTruths:
    boxes = np.array([[x, 0, x + 9, 9] for x in lefts], np.float64).reshape(-1, 4)
    return ClassTruths(boxes, np.array(difficult or [False] * len(lefts), bool))


def test_the_second_detection_of_an_object_is_wrong() -> None:
    curve = evaluate(found(("a", 0.5, 0), ("a", 0.9, 1), ("b", 0.7, 50)), {"a": truths(0, 50), "b": truths(50)})
    assert curve.recall.tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert curve.precision.tolist() == pytest.approx([1, 1, 2 / 3])
    assert curve.objects == 3


def test_difficult_objects_count_neither_way() -> None:
    curve = evaluate(
        found(("a", 0.9, 50), ("a", 0.8, 50), ("a", 0.7, 0)), {"a": truths(0, 50, difficult=(False, True))}
    )
    assert curve.precision.tolist() == [0, 0, 1]
    assert curve.recall.tolist() == [0, 0, 1]
    assert curve.ap == pytest.approx(1)


def test_an_overlap_at_the_limit_is_not_enough() -> None:
    detections = found(("a", 0.9, 0))
    half = {"a": ClassTruths(np.array([[0.0, 0, 9, 4]]), np.array([False]))}
    assert evaluate(detections, half, 0.5).ap == 0
    assert evaluate(detections, half, 0.49).ap > 0.99
