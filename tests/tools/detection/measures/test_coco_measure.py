"""COCO's file of results and its measure."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from recaffe.tools.datasets.annotations.pictures import Picture, Thing
from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.measures.coco_measure import CocoIds, measure_coco, write_coco_results

IDS = CocoIds({"a": 7, "b": 9}, {"cat": 3, "dog": 18, "cow": 21})
CLASSES = ("__background__", "cat", "dog", "cow")


def picture(name: str, *things: Thing) -> Picture:
    return Picture(name, Path(name), None, things, Path(name), 1)


def thing(name: str, x: float, side: float, crowd: bool = False) -> Thing:
    return Thing(name, (x, 0, x + side - 1, side - 1), (x, 0, side, side), 1, 1, crowd=crowd, area=side * side)


PICTURES = [
    picture("a", thing("cat", 0, 20), thing("dog", 40, 100)),
    picture("b", thing("cat", 10, 30), thing("cat", 60, 30, crowd=True)),
]
FOUND = {
    "a": np.array([[0, 0, 19, 19, 0.9, 1], [40, 0, 139, 79, 0.8, 2]], np.float32),
    "b": np.array([[60, 0, 89, 29, 0.7, 1]], np.float32),
}


def test_results(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results = write_coco_results(path, CLASSES, FOUND, IDS)
    assert json.loads(path.read_text()) == results
    assert [(r["image_id"], r["category_id"], r["bbox"]) for r in results] == [
        (7, 3, [0, 0, 20, 20]),
        (7, 18, [40, 0, 100, 80]),
        (9, 3, [60, 0, 30, 30]),
    ]
    assert results[0]["score"] == float(np.float32(0.9))


def test_measure(tmp_path: Path) -> None:
    """The crowd's detection counts neither way, one cat of two is found, and the dog overlaps by 0.8."""
    results = write_coco_results(tmp_path / "results.json", CLASSES, FOUND, IDS)
    measure = measure_coco(PICTURES, CLASSES, results, IDS)
    half = 51 / 101  # recalls 0 to 0.5 of 101
    assert measure.aps == pytest.approx({"cat": half, "dog": 0.7, "cow": -1})
    assert measure.curves["cat"].objects == 2
    assert measure.stats["AP"] == pytest.approx((half + 0.7) / 2)
    assert measure.stats["AP50"] == pytest.approx((half + 1) / 2)
    assert measure.stats["APs"] == pytest.approx(half)
    assert measure.lines()[1] == "AP for dog = 0.7000   AP50 1.0000"
    assert measure.lines()[3].startswith("AP 0.602   AP50 0.752   AP75 0.752   APs 0.505   APm -1.000   APl 0.700")


def test_nothing_found(tmp_path: Path) -> None:
    assert measure_coco(PICTURES, CLASSES, [], IDS).aps == {"cat": 0, "dog": 0, "cow": -1}


def test_without_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(DetectionError) as error:
        measure_coco(PICTURES, CLASSES, [], IDS)
    assert str(error.value) == "COCO's measure needs pycocotools: pip install 'recaffe[coco]'"
