"""The data set that arguments name."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from recaffe.tools.datasets.annotations.coco import CocoSet
from recaffe.tools.detection.named_set import add_set, coco_ids, named_set, set_name
from recaffe.tools.errors import CommandError

COCO = {
    "images": [{"id": 42, "file_name": "a.jpg", "width": 9, "height": 7}],
    "categories": [{"id": 5, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [],
}


def parsed(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_set(parser)
    return parser.parse_args([str(word) for word in words])


def test_a_folder_is_vocs(folder: Path) -> None:
    found = named_set(parsed(folder / "VOCdevkit2007", "--classes", "wedge,disc,block"))
    assert found.classes == ("__background__", "wedge", "disc", "block")
    assert set_name(found) == "test"
    ids = coco_ids(found)
    assert list(ids.pictures.items())[:2] == [("000019", 1), ("000021", 2)]
    assert ids.categories == {"wedge": 1, "disc": 2, "block": 3}
    assert len(named_set(parsed(folder / "VOCdevkit2007", "--image-set", "trainval")).pictures()) == 9


def test_a_file_is_cocos(tmp_path: Path) -> None:
    path = tmp_path / "instances_val.json"
    path.write_text(json.dumps(COCO))
    found = named_set(parsed(path, "--images", tmp_path))
    assert isinstance(found, CocoSet)
    assert set_name(found) == "instances_val"
    assert (coco_ids(found).pictures, coco_ids(found).categories) == ({"42": 42}, {"cat": 5, "dog": 2})


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["none"], "none: no such file or folder"),
        (["."], ".: has no folder Annotations"),
        ([".", "--images", "."], ".: is a folder in VOC's layout, whose images are in JPEGImages: drop --images"),
        (["a.json"], "a.json: say with --images FOLDER where its images are"),
        (["a.json", "--classes", "voc"], "a.json: COCO's file has its own classes: drop --classes"),
    ],
)
def test_other_words_are_refused(words: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("{}")
    with pytest.raises(CommandError) as error:
        named_set(parsed(*words))
    assert str(error.value) == line
