from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recaffe.tools.datasets.checkup.mend import write_coco_copy, write_voc_copy
from recaffe.tools.datasets.checkup.set_checkup import check_coco, check_voc
from recaffe.tools.datasets.errors import DataError

BAD = {
    "a": [("car", 5, 5, 30, 30), ("car", 5, 5, 30, 30), ("car", 20, 10, 9, 15.5), ("car", 55, 5, 70, 10)],
    "b": [("car", 70, 5, 80, 10), ("car", 5, 5, 30, 30)],
    "c": [("car", 5, 5, 30, 30)],
    "d": [("car", 5, 5, 30, 30)],
}


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_voc_copy(make_voc: Callable[..., Path], tmp_path: Path) -> None:
    root, copy = make_voc(BAD), tmp_path / "copy"
    (root / "JPEGImages" / "c.png").unlink()
    (root / "ImageSets" / "Main" / "train.txt").write_text("d\nc\nd\nx\na\n")
    (root / "annots.pkl").write_bytes(b"")
    (root / "Annotations" / "b.xml").write_text((root / "Annotations" / "b.xml").read_text().replace("60<", "0<"))
    before = files(root)
    write_voc_copy(check_voc(root, (), 3), copy, False)
    assert files(root) == before
    assert check_voc(copy, (), 3).findings == []
    have = files(copy)
    assert set(have) == {
        *(f"Annotations/{name}.xml" for name in "abd"),
        *(f"JPEGImages/{name}.png" for name in "abd"),
        *(f"ImageSets/Main/{name}.txt" for name in ("trainval", "train")),
    }
    assert all(have[name] == before[name] for name in ("Annotations/d.xml", "JPEGImages/a.png"))
    assert have["ImageSets/Main/train.txt"] == b"d\na\n"
    boxes = [thing.given for checked in check_voc(copy, (), 3).pictures[:2] for thing in checked.picture.things]
    assert boxes == [(5, 5, 30, 30), (9, 10, 20, 15.5), (55, 5, 60, 10), (5, 5, 30, 30)]
    assert have["Annotations/a.xml"].startswith(b"<annotation>\n<size>")
    write_voc_copy(check_voc(root, (), 3), copy, True)
    assert files(copy) == have
    with pytest.raises(DataError, match="copy: exists already \\(force=True replaces it\\)"):
        write_voc_copy(check_voc(root, (), 3), copy, False)


def test_a_set_counted_from_0(make_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = make_voc({"a": [("car", 0, 0, 9, 9)], "b": [("car", 20, 20, 59, 30)]})
    write_voc_copy(check_voc(root, (), 3), tmp_path / "copy", False)
    report = check_voc(tmp_path / "copy", (), 3)
    assert report.findings == []
    assert [checked.picture.things[0].given for checked in report.pictures] == [(1, 1, 10, 10), (21, 21, 60, 31)]


def test_a_coco_copy(make_coco: Callable[..., tuple[Path, Path]], tmp_path: Path) -> None:
    right, whole, beyond = [3.5, 4, 9.25, 9], [0, 0, 9, 9], [50, 30.5, 20, 5]
    file, images = make_coco(
        [(1, 7, right, {}), (1, 7, right, {}), (2, 3, whole, {}), (1, 3, beyond, {"segmentation": [[1, 2]]})], 2
    )
    (images / "2.png").unlink()
    copy = tmp_path / "copy.json"
    write_coco_copy(check_coco(file, images, 3), copy, False)
    old, new = (json.loads(path.read_text()) for path in (file, copy))
    assert new["images"] == old["images"][:1]
    assert new["categories"] == old["categories"]
    assert new["annotations"] == [old["annotations"][0], old["annotations"][3] | {"bbox": [50, 30.5, 10, 5]}]
    assert check_coco(copy, images, 3).findings == []
    first = copy.read_bytes()
    write_coco_copy(check_coco(file, images, 3), copy, True)
    assert copy.read_bytes() == first
