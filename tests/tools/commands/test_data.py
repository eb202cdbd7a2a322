"""`recaffe data`: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recaffe.tools.main import main

VOC = Path(__file__).parents[3] / "golden" / "fixtures" / "detection" / "VOCdevkit2007"


def data(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    status = main(["data", *map(str, words)])
    captured = capsys.readouterr()
    return status, captured.err if status == 2 else captured.out


def test_a_checkup_and_its_copy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root, copy = VOC / "VOC2007", tmp_path / "copy"
    status, out = data(capsys, "check", VOC)
    empty = f"{root}/Annotations/000017.xml:7: picture 000017 has none but difficult objects or crowds"
    way = "(training passes over it: annotate it, or take it off the list)"
    twin = f"{root}/Annotations/000019.xml:66: box (1, 44, 40, 106) of 'disc' is the same as that on line 18"
    assert status == 1
    assert out.splitlines() == [
        f"{empty} {way}",
        f"{twin} (--fix drops it)",
        f"{root}: 17 pictures, 43 objects: 1 duplicate, 1 empty",
    ]
    status, out = data(capsys, "check", VOC, "--fix", copy)
    assert status == 1
    assert out.splitlines() == [
        f"left  {empty} {way}",
        f"fixed {twin} (--fix drops it)",
        f"{root}: 17 pictures, 43 objects: 1 duplicate, 1 empty; {copy} has 1 fixed, 1 left",
    ]
    status, out = data(capsys, "check", copy, "--allow", "empty")
    assert (status, out) == (0, f"{copy}: 17 pictures, 42 objects: nothing found\n")
    status, err = data(capsys, "check", VOC, "--fix", copy)
    assert (status, err) == (2, f"recaffe data: {copy}: exists already (--force replaces it)\n")


def test_a_way_out_names_the_flag(capsys: pytest.CaptureFixture[str]) -> None:
    status, out = data(capsys, "check", VOC, "--classes", "disc,block", "--allow", "empty", "duplicate")
    assert status == 1
    assert "(known: disc, block) (name it as one of them, or name the classes with --classes)\n" in out


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out = data(capsys, "check", VOC, "--json", "--allow", "empty")
    report = json.loads(out)
    assert status == 1
    assert [report[key] for key in ("pictures", "objects", "copy")] == [17, 43, None]
    (finding,) = report["findings"]
    assert finding == {
        "kind": "duplicate",
        "file": f"{VOC}/VOC2007/Annotations/000019.xml",
        "line": 66,
        "what": "box (1, 44, 40, 106) of 'disc' is the same as that on line 18",
        "mend": "drops it",
        "way": "",
        "fixed": False,
    }


def test_coco(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    image = VOC / "VOC2007" / "JPEGImages" / "000001.jpg"  # 131×160
    content = {
        "images": [{"id": 1, "file_name": image.name, "width": 131, "height": 160}],
        "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [100, 0, 50, 50], "area": 9, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "disc"}],
    }
    file, copy = tmp_path / "a.json", tmp_path / "b.json"
    file.write_text(json.dumps(content))
    status, out = data(capsys, "check", file, "--images", image.parent, "--fix", copy)
    box = "box (100, 0, 50, 50) of 'disc' is in part outside of the picture of 131×160 (--fix cuts it)"
    assert status == 0
    assert out.splitlines() == [
        f"fixed {file}:1: {box}",
        f"{file}: 1 pictures, 1 objects: 1 outside; {copy} has 1 fixed, 0 left",
    ]
    assert json.loads(copy.read_text())["annotations"][0]["bbox"] == [100, 0, 31, 50]


def test_shapes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out = data(capsys, "shapes", tmp_path / "a", "--images", 4, "--seed", 1)
    assert status == 0
    assert out.startswith(f"{tmp_path}/a: 4 pictures, ")
    assert data(capsys, "check", tmp_path / "a")[0] == 0
    status, err = data(capsys, "shapes", tmp_path / "a")
    assert (status, err) == (2, f"recaffe data: {tmp_path}/a: exists already (--force replaces it)\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["check", "no/such"], "no/such: no such file or folder"),
        (["check", __file__], f"{__file__}: say with --images FOLDER where its images are"),
        (["check", __file__, "--images", "."], f"{__file__}:1: is not JSON: expected '{{'"),
        (["check", __file__, "--classes", "a"], "--classes: COCO's file has its own categories: leave it out"),
        (["check", str(VOC.parent)], f"{VOC.parent}: has no folder Annotations"),
        (["shapes", "out", "--images", "0"], "--images 0: at least 1"),
    ],
)
def test_a_wrong_call_is_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert data(capsys, *words) == (2, f"recaffe data: {line}\n")
