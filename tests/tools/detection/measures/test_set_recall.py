"""Recall over a set, by area and by number of proposals."""

from __future__ import annotations

from collections.abc import Callable

from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.measures.set_recall import measure_recall, objects_of

from ..conftest import Golden


def test_by_area_and_by_limit(golden: Callable[[str], Golden], voc: VocSet) -> None:
    want = golden("proposals_rpn")
    found = {str(name): want[f"{number}/boxes"] for number, name in enumerate(want["image_index"])}
    measure = measure_recall(voc, found)
    assert list(measure.by_limit) == [10, 60]
    assert measure.by_limit[10].ar == want["recall/all/10/ar"]
    assert measure.by_area["medium"].ar == want["recall/medium/None/ar"]
    assert measure.lines()[:2] == [
        "area all      mean recall 0.1905, at 0.5 0.6190, at 0.7 0.1905",
        "area small    no objects",
    ]
    assert measure.lines()[-1] == "best 60       mean recall 0.1905, at 0.5 0.6190, at 0.7 0.1905"


def test_difficult_objects_are_not_asked_for(voc: VocSet) -> None:
    pictures = voc.pictures()
    wanted = [sum(not thing.difficult for thing in picture.things) for picture in pictures]
    assert [len(objects.boxes) for objects in objects_of(voc, pictures)] == wanted
    assert sum(wanted) < sum(len(picture.things) for picture in pictures)
