from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recaffe.tools.datasets.checkup.set_checkup import check_coco, check_voc
from recaffe.tools.datasets.errors import DataError

MakeVoc = Callable[..., Path]
MakeCoco = Callable[..., tuple[Path, Path]]
CAR = ("car", 5, 5, 30, 30)


def told(root: Path, *classes: str) -> list[str]:
    return [str(finding).replace(str(root), "ROOT") for finding in check_voc(root, classes, 3).findings]


def test_a_good_set(make_voc: MakeVoc) -> None:
    report = check_voc(make_voc({"a": [CAR], "b": [CAR, ("bus", 1, 1, 9, 9)]}), (), 3)
    assert report.findings == []
    assert report.objects == 3
    assert len(report.pictures) == 2


def test_images(make_voc: MakeVoc) -> None:
    root = make_voc({"a": [CAR], "b": [CAR], "c": [CAR], "d": [CAR]})
    images = root / "JPEGImages"
    (images / "a.png").unlink()
    (images / "b.png").write_bytes(b"nothing")
    whole = (images / "c.png").read_bytes()
    (images / "c.png").write_bytes(whole[:-6])
    assert [finding.kind for finding in check_voc(root, (), 3).findings] == ["missing", "unreadable", "unreadable"]
    assert told(root)[:2] == [
        "ROOT/Annotations/a.xml:2: image ROOT/JPEGImages/a.jpg is missing (mending leaves the picture out)",
        "ROOT/Annotations/b.xml:2: image ROOT/JPEGImages/b.png is no image that OpenCV reads, or a damaged one "
        "(mending leaves the picture out)",
    ]
    assert check_voc(root, (), 3).unusable() == {"a", "b", "c"}


def test_annotations_and_lists(make_voc: MakeVoc) -> None:
    root = make_voc({"a": [CAR], "b": [CAR]})
    (root / "Annotations" / "b.xml").write_text("<annotation>")
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\nx\na\nb\n")
    assert told(root) == [
        "ROOT/Annotations/b.xml:1: is not XML: no element found (mending leaves the picture out)",
        "ROOT/ImageSets/Main/train.txt:2: picture x has no annotation (mending drops it)",
        "ROOT/ImageSets/Main/train.txt:3: picture a is listed already on line 1 (mending drops it)",
    ]


def test_classes_are_those_with_lists_or_those_given(make_voc: MakeVoc) -> None:
    root = make_voc({"a": [CAR, ("cart", 1, 1, 9, 9)]})
    assert [line.split(": ")[1] for line in told(root)] == ["class 'cart' is unknown (known"]
    (root / "ImageSets" / "Main" / "cart_trainval.txt").write_text("a 1\n")
    assert [line.partition(": ")[2][:29] for line in told(root)] == ["class 'car' is unknown (known"]
    assert told(root, "car", "cart") == []


@pytest.mark.parametrize(
    ("last", "mend"), [(59, "adds 1 to all boxes of the data set"), (60, "cuts it"), (50, "cuts it")]
)
def test_a_set_is_counted_from_0_only_if_its_boxes_prove_it(last: int, mend: str, make_voc: MakeVoc) -> None:
    root = make_voc({"a": [("car", 0, 5, 30, 30)], "b": [("car", 40, 1, last, 30)]})
    what = "box (0, 5, 30, 30) of 'car' is counted from 0, and VOC counts from 1"
    assert told(root) == [f"ROOT/Annotations/a.xml:6: {what} (mending {mend})"]


@pytest.mark.parametrize("place", ["annotations_cache/annots.pkl", "voc_2007_train_gt_roidb.pkl"])
def test_caches_are_told_wherever_they_lie(place: str, make_voc: MakeVoc) -> None:
    root = make_voc({"a": [CAR]})
    for folder in (root, root.parent):
        cache = folder / place
        cache.parent.mkdir(exist_ok=True)
        cache.write_bytes(b"")
        what = "is a cache of the originals, which they believe whatever has changed since"
        assert [str(f) for f in check_voc(root, (), 3).findings] == [
            f"{cache}: {what} (delete it; nothing here reads it)"
        ]
        cache.unlink()


def test_coco(make_coco: MakeCoco) -> None:
    file, images = make_coco(
        [
            (1, 7, [0, 0, 9, 9], {}),
            (1, 7, [0, 0, 9, 9], {}),
            (1, 8, [50, 0, 20, 9], {}),
            (9, 7, [0, 0, 9, 9], {}),
            (2, 3, [0, 0, 9, 9], {}),
            (1, 3, [1, 2, 3, "4"], {"area": 1}),
        ],
        3,
    )
    (images / "2.png").unlink()
    findings = check_coco(file, images, 3).findings
    assert [finding.kind for finding in findings] == [
        *("broken", "broken", "duplicate", "class", "outside", "missing", "empty"),
    ]
    lines = file.read_text().splitlines()
    assert [lines[f.line].strip() for f in findings] == [f'"id": {n},' for n in (103, 105, 101, 102, 102, 2, 3)]
    file.write_text(json.dumps({"images": []}))
    with pytest.raises(DataError, match="has no list 'annotations': it is not a COCO file of annotations"):
        check_coco(file, images, 3)


def test_a_folder_without_annotations(tmp_path: Path) -> None:
    (tmp_path / "Annotations").mkdir()
    with pytest.raises(DataError, match=r"Annotations: has no annotation \(.xml\)"):
        check_voc(tmp_path, (), 3)
