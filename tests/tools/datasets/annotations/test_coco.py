from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recaffe.tools.datasets.annotations.coco import CocoSet
from recaffe.tools.datasets.errors import DataError

Make = Callable[..., tuple[Path, Path]]


def test_classes_are_the_categories_in_the_files_order(make_coco: Make) -> None:
    assert CocoSet(*make_coco([])).classes == ("__background__", "disc", "traffic light")


def test_pictures_have_their_annotations(make_coco: Make) -> None:
    source = CocoSet(*make_coco([(2, 3, [1, 2, 3, 4], {}), (1, 7, [5, 6, 7, 8], {}), (2, 7, [0, 0, 9, 9], {})], 3))
    pictures = source.pictures()
    assert [picture.name for picture in pictures] == ["1", "2", "3"]
    assert [[thing.number for thing in picture.things] for picture in pictures] == [[1], [0, 2], []]
    assert pictures[0].things[0].box == (5, 6, 11, 13)
    lines = source.file.read_text().splitlines()
    assert [lines[picture.line].strip() for picture in pictures] == ['"id": 1,', '"id": 2,', '"id": 3,']
    assert [lines[thing.line].strip() for thing in pictures[1].things] == ['"id": 100,', '"id": 102,']


@pytest.mark.parametrize(
    ("box", "more", "want"),
    [
        ([10.9, 5.2, 20.5, 10], {}, [[10, 5, 30, 14]]),
        ([50, 30, 20, 20], {}, [[50, 30, 59, 39]]),
        ([-3, -2, 10, 8], {}, [[0, 0, 9, 7]]),
        ([5, 5, 0.5, 0.5], {}, [[5, 5, 5, 5]]),
        ([5, 5, 10, 10], {"area": 0}, []),
        ([60, 5, 10, 10], {}, []),
    ],
)
def test_boxes_are_cut_as_the_originals_do(
    box: list[float], more: dict[str, Any], want: list[list[int]], make_coco: Make
) -> None:
    source = CocoSet(*make_coco([(1, 7, box, more)]))
    (picture,) = source.pictures()
    assert source.truths(picture, (60, 40)).boxes.tolist() == want


def test_crowds_and_areas_are_told(make_coco: Make) -> None:
    source = CocoSet(*make_coco([(1, 7, [0, 0, 9, 9], {"iscrowd": 1}), (1, 3, [0, 0, 9, 9], {"area": 31.5})]))
    truths = source.truths(source.pictures()[0], (60, 40))
    assert truths.crowd.tolist() == [True, False]
    assert truths.classes.tolist() == [1, 2]
    assert truths.areas.tolist() == [81, 31.5]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bbox": [1, 2, 3]}, "annotation 100 has bbox [1, 2, 3], not four numbers"),
        ({"bbox": [1, 2, 3, float("nan")]}, "annotation 100 has bbox [1, 2, 3, nan], not four numbers"),
        ({"image_id": 9}, "annotation 100 is of image 9, which is not listed"),
        ({"image_id": "1"}, "annotation 100 has image_id '1', where int is needed"),
        ({"area": None}, "annotation 100 has area None, where int or float is needed"),
    ],
)
def test_faults_are_told_with_their_lines(change: dict[str, Any], told: str, make_coco: Make) -> None:
    file, images = make_coco([(1, 7, [0, 0, 9, 9], {})])
    content = json.loads(file.read_text())
    content["annotations"][0] |= change
    file.write_text(json.dumps(content, indent=1))
    line = file.read_text().splitlines().index('   "id": 100,')
    with pytest.raises(DataError) as error:
        CocoSet(file, images).pictures()
    assert str(error.value) == f"{file}:{line}: {told}"
    faults: list[DataError] = []
    assert [len(picture.things) for picture in CocoSet(file, images).pictures(faults)] == [0]
    assert [fault.what for fault in faults] == [told]


def test_an_unknown_category_is_refused_where_it_is_used(make_coco: Make) -> None:
    source = CocoSet(*make_coco([(1, 8, [0, 0, 9, 9], {})]))
    with pytest.raises(DataError, match=r"class 'category 8' is unknown \(known: disc, traffic light\)"):
        source.truths(source.pictures()[0], (60, 40))


def test_what_is_there_twice_is_refused(make_coco: Make) -> None:
    file, images = make_coco([])
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"images": content["images"] * 2}))
    with pytest.raises(DataError, match=r"instances.json:1: image 1 is listed twice"):
        CocoSet(file, images).pictures()
    file.write_text(json.dumps(content | {"categories": content["categories"] * 2}))
    with pytest.raises(DataError, match="two categories have the same id or name"):
        _ = CocoSet(file, images).classes
