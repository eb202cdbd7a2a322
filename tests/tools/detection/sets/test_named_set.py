"""A data set by its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recaffe.errors import RecaffeError
from recaffe.tools.datasets.annotations.coco import CocoSet
from recaffe.tools.detection.sets.named_set import coco_ids, named_set, set_name

COCO = {
    "images": [{"id": 42, "file_name": "a.jpg", "width": 9, "height": 7}],
    "categories": [{"id": 5, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [],
}


def test_a_folder_is_vocs(folder: Path) -> None:
    found = named_set(folder / "VOCdevkit2007", "test", classes="wedge,disc,block")
    assert found.classes == ("__background__", "wedge", "disc", "block")
    assert set_name(found) == "test"
    ids = coco_ids(found)
    assert list(ids.pictures.items())[:2] == [("000019", 1), ("000021", 2)]
    assert ids.categories == {"wedge": 1, "disc": 2, "block": 3}
    assert len(named_set(folder / "VOCdevkit2007", "trainval").pictures()) == 9


def test_a_file_is_cocos(tmp_path: Path) -> None:
    path = tmp_path / "instances_val.json"
    path.write_text(json.dumps(COCO))
    found = named_set(path, "test", tmp_path)
    assert isinstance(found, CocoSet)
    assert set_name(found) == "instances_val"
    assert (coco_ids(found).pictures, coco_ids(found).categories) == ({"42": 42}, {"cat": 5, "dog": 2})


@pytest.mark.parametrize(
    ("path", "given", "line"),
    [
        ("none", {}, "none: no such file or folder"),
        (".", {}, ".: has no folder Annotations"),
        (".", {"images": "."}, ".: is a folder in VOC's layout, whose images are in JPEGImages: drop images="),
        ("a.json", {}, "a.json: say with images=FOLDER where its images are"),
        ("a.json", {"classes": "voc"}, "a.json: COCO's file has its own classes: drop classes="),
    ],
)
def test_other_sets_are_refused(
    path: str, given: dict[str, Any], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("{}")
    with pytest.raises(RecaffeError) as error:
        named_set(Path(path), "test", **given)
    assert str(error.value) == line
