"""Curves as pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.measures.average_precision import Curve
from recaffe.tools.detection.measures.plots import plot_precision, plot_recall
from recaffe.tools.detection.measures.recall import Recall

CURVE = Curve(np.array([0.5, 1.0]), np.array([1.0, 0.5]), 0.75, 2)
NOTHING = Curve(np.zeros(0), np.zeros(0), 0.0, 2)


def test_curves_are_drawn_and_the_same_each_time(tmp_path: Path) -> None:
    first, second, empty = (tmp_path / f"{name}.png" for name in ("first", "second", "empty"))
    plot_precision(first, {f"class {i}": CURVE for i in range(12)} | {"none": NOTHING}, "mean")
    plot_precision(second, {f"class {i}": CURVE for i in range(12)} | {"none": NOTHING}, "mean")
    plot_precision(empty, {}, "mean")
    assert first.read_bytes() == second.read_bytes()
    assert not np.array_equal(cv2.imread(str(first)), cv2.imread(str(empty)))
    plot_recall(first, {"best 10": Recall(np.array([0.5, 0.9]), np.array([0.8, 0.1]), 0.45, np.zeros(3))}, "recall")
    assert first.read_bytes() != second.read_bytes()
    assert sorted(tmp_path.iterdir()) == [empty, first, second]


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DetectionError) as error:
        plot_precision(tmp_path / "a.png", {"a": CURVE}, "mean")
    assert str(error.value) == "curves need matplotlib: pip install 'recaffe[plot]', or leave plot=True out"
    assert list(tmp_path.iterdir()) == []
