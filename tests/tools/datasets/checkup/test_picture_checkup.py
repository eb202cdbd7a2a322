from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recaffe.tools.datasets.annotations.pictures import Box, Picture, Size, Thing
from recaffe.tools.datasets.checkup.picture_checkup import Rules, check_picture

SIZE = (60, 40)
VOC, COCO = Rules(("car",)), Rules(("car",), first=0, slack=0.5)


def voc(*given: float, name: str = "car", number: int = 0, **more: Any) -> Thing:
    x1, y1, x2, y2 = given
    return Thing(name, (x1 - 1, y1 - 1, x2 - 1, y2 - 1), (x1, y1, x2, y2), 6 + number, number, **more)


def coco(*given: float) -> Thing:
    x, y, w, h = given
    return Thing("car", (x, y, x + w - 1, y + h - 1), (x, y, w, h), 6, 0, area=w * h)


def checked(*things: Thing, rules: Rules = VOC, size: Size | None = SIZE) -> tuple[list[str], dict[int, Box | None]]:
    """The kinds and texts of the findings, and the boxes that are changed."""
    found = check_picture(Picture("a", Path("a.png"), size, things, Path("a.xml"), 2), SIZE, None, rules)
    return [f"{finding.kind} {finding}" for finding in found.findings], found.boxes


def test_what_is_right() -> None:
    assert checked(voc(1, 1, 60, 40), voc(58, 38, 60, 40, number=1)) == ([], {})
    assert checked(coco(0, 0, 60.4, 40.2), rules=COCO)[0] == []


@pytest.mark.parametrize(
    ("thing", "rules", "told", "box"),
    [
        (voc(0, 2, 9, 9), VOC, ["zero-based", "counted from 0, and VOC counts from 1 (mending cuts it)"], (0, 1, 8, 8)),
        (voc(20, 2, 9, 9), VOC, ["inverted", "inverted (mending puts its corners in order)"], (8, 1, 19, 8)),
        (voc(2, 20, 9, 9), VOC, ["inverted", "inverted (mending puts its corners in order)"], (1, 8, 8, 19)),
        (
            voc(2, 2, 61, 9),
            VOC,
            ["outside", "in part outside of the picture of 60×40 (mending cuts it)"],
            (1, 1, 59, 8),
        ),
        (
            voc(2, -5, 9, 50),
            VOC,
            ["outside", "in part outside of the picture of 60×40 (mending cuts it)"],
            (1, 0, 8, 39),
        ),
        (voc(61, 2, 70, 9), VOC, ["outside", "outside of the picture of 60×40 (mending drops it)"], None),
        (
            coco(50, 30, 20, 5),
            COCO,
            ["outside", "in part outside of the picture of 60×40 (mending cuts it)"],
            (50, 30, 59, 34),
        ),
        (coco(30, 10, -20, 5), COCO, ["inverted", "inverted (mending puts its corners in order)"], (10, 10, 29, 14)),
        (coco(-30, 10, 20, 5), COCO, ["outside", "outside of the picture of 60×40 (mending drops it)"], None),
    ],
)
def test_boxes_that_are_mended(thing: Thing, rules: Rules, told: list[str], box: Box | None) -> None:
    findings, boxes = checked(thing, rules=rules)
    given = ", ".join(f"{value:g}" for value in thing.given)
    assert findings == [f"{told[0]} a.xml:6: box ({given}) of 'car' is {told[1]}"]
    assert boxes == {0: box}


def test_each_fault_of_a_box_is_told() -> None:
    findings, boxes = checked(voc(0, 41, 9, 2))
    assert [line.split()[0] for line in findings] == ["zero-based", "inverted", "outside"]
    assert boxes == {0: (0, 1, 8, 39)}


def test_a_set_counted_from_0_is_shifted() -> None:
    findings, boxes = checked(voc(0, 0, 59, 39), voc(7, 7, 20, 20, number=1), rules=Rules(("car",), shift=True))
    assert [line.rpartition("(")[2] for line in findings] == ["mending adds 1 to all boxes of the data set)"]
    assert boxes == {0: (0, 0, 59, 39), 1: (7, 7, 20, 20)}


def test_tiny_ones_are_told_and_left() -> None:
    findings, boxes = checked(voc(5, 5, 6, 30))
    way = "it can hardly be learned: leave it out, or mark it difficult"
    assert findings == [f"tiny a.xml:6: box (5, 5, 6, 30) of 'car' is only 2×26 pixels ({way})"]
    assert boxes == {}
    assert checked(voc(5, 5, 6, 30), rules=Rules(("car",), tiny=2))[0] == []
    assert len(checked(coco(5, 5, 0, 9), rules=COCO)[0]) == 1


def test_duplicates_are_dropped_also_such_as_mending_makes() -> None:
    findings, boxes = checked(voc(2, 2, 9, 9), voc(9, 9, 2, 2, number=1), voc(2, 2, 9, 9, name="bus", number=2))
    assert [line.split()[0] for line in findings] == ["inverted", "duplicate", "class"]
    assert (
        findings[1] == "duplicate a.xml:7: box (9, 9, 2, 2) of 'car' is the same as that on line 6 (mending drops it)"
    )
    assert boxes == {1: None}


def test_empty_ones() -> None:
    way = "(training passes over it: annotate it, or take it off the list)"
    assert checked()[0] == [f"empty a.xml:2: picture a has no object {way}"]
    findings, _ = checked(voc(2, 2, 9, 9, difficult=True))
    assert findings == [f"empty a.xml:2: picture a has none but difficult objects or crowds {way}"]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (None, "tells no size, the image has 60×40 (mending fills it in)"),
        ((0, 0), "tells no size, the image has 60×40 (mending fills it in)"),
        ((40, 60), "says 40×60, but the image has 60×40 (the boxes may belong to another version of it: "),
    ],
)
def test_sizes(size: Size | None, told: str) -> None:
    (line,), boxes = checked(voc(2, 2, 9, 9), size=size)
    assert line.startswith(f"size a.xml:2: {told}")
    assert boxes == {}
