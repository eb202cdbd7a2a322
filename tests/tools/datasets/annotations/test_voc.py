from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recaffe.tools.datasets.annotations.voc import VOC_CLASSES, VocSet, known_classes
from recaffe.tools.datasets.errors import DataError

Make = Callable[..., Path]


def test_twenty_classes_by_the_alphabet() -> None:
    assert len(VOC_CLASSES) == 20
    assert list(VOC_CLASSES) == sorted(VOC_CLASSES)


def test_a_folder_of_one_year_or_that_of_all(fixtures_dir: Path, tmp_path: Path) -> None:
    root = fixtures_dir / "detection" / "VOCdevkit2007"
    assert VocSet(root, "test").pictures() == VocSet(root / "VOC2007", "test").pictures()
    assert VocSet(root, "test").classes == ("__background__", "block", "disc", "wedge")
    with pytest.raises(DataError, match="has no folder Annotations"):
        VocSet(tmp_path, "test")


def test_difficult_ones_are_left_out(fixtures_dir: Path) -> None:
    root = fixtures_dir / "detection" / "VOCdevkit2007"
    pictures = VocSet(root, "trainval").pictures()
    assert [sum(thing.difficult for thing in picture.things) for picture in pictures] == [0, 0, 0, 1, 1, 1, 0, 0, 1]
    for use, count in ((False, 0), (True, 1)):
        source = VocSet(root, "trainval", use_difficult=use)
        assert len(source.truths(pictures[8], pictures[8].size or (0, 0)).boxes) == count


def test_boxes_count_from_0_and_are_cut_to_whole_pixels(make_voc: Make) -> None:
    source = VocSet(make_voc({"a": [(" Car ", 1, "2.7", "30.99", 40)]}), "trainval")
    (picture,) = source.pictures()
    truths = source.truths(picture, (60, 40))
    assert truths.boxes.tolist() == [[0, 1, 29, 39]]
    assert truths.classes.tolist() == [VOC_CLASSES.index("car") + 1]
    assert truths.areas.tolist() == pytest.approx([(29.99 + 1) * (39 - 1.7 + 1)])


@pytest.mark.parametrize("box", [(0, 1, 5, 5), (1, 1, 61, 40), (1, 1, 60, 41), (9, 1, 8, 5), (1, 9, 5, 8)])
def test_a_box_that_would_become_65535_is_refused(box: tuple[int, ...], make_voc: Make) -> None:
    root = make_voc({"a": [("car", 1, 1, 5, 5), ("car", *box)]})
    source = VocSet(root, "trainval")
    (picture,) = source.pictures()
    with pytest.raises(DataError) as error:
        source.truths(picture, (60, 40))
    told = f"box {box} does not lie in the picture of 60×40 (recaffe data check tells more and mends it)"
    assert str(error.value) == f"{root}/Annotations/a.xml:10: {told}"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<name>car</name>", "<name>cart</name>", "6: class 'cart' is unknown (known: bus, car)"),
        ("<name>car</name>", "", "4: <object> has no <name>"),
        ("<xmin>1<", "<xmin>one<", "6: <xmin> is 'one', not a number"),
        ("<xmin>1<", "<xmin>nan<", "6: <xmin> is 'nan', not a number"),
        ("<xmin>1</xmin>", "", "6: <bndbox> has no <xmin>"),
        ("</object>", "</objects>", "7: is not XML: mismatched tag"),
    ],
)
def test_faults_are_told_with_their_lines(old: str, new: str, told: str, make_voc: Make) -> None:
    root = make_voc({"a": [("car", 1, 1, 5, 5)]})
    file = root / "Annotations" / "a.xml"
    file.write_text(file.read_text().replace(old, new))
    source = VocSet(root, "trainval", ["bus", "car"])
    with pytest.raises(DataError) as error:
        source.truths(source.pictures()[0], (60, 40))
    assert str(error.value) == f"{file}:{told}"


def test_names_are_the_lists_first_column(make_voc: Make) -> None:
    root = make_voc({"a": [], "b": []})
    lists = root / "ImageSets" / "Main"
    (lists / "my_car_trainval.txt").write_text("b  1\n\na -1\n")
    assert known_classes(root) == ("my_car",)
    assert known_classes(root, ["Tram"]) == VocSet(root, "trainval", ["Tram"]).classes[1:] == ("tram",)
    assert VocSet(root, "my_car_trainval").names() == [("b", 1), ("a", 3)]
    with pytest.raises(DataError, match=r"train.txt: cannot be read: No such file or directory"):
        VocSet(root, "train").names()


def test_a_picture_without_an_annotation(make_voc: Make) -> None:
    root = make_voc({"a": []})
    (root / "ImageSets" / "Main" / "trainval.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match=r"Annotations/b.xml: cannot be read: No such file or directory"):
        VocSet(root, "trainval").pictures()
