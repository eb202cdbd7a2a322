"""Names of classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.names import class_names, names_of


def test_known_sets() -> None:
    assert (len(names_of("voc")), names_of("voc")[14]) == (20, "person")
    assert (len(names_of("coco")), names_of("coco")[79]) == (80, "toothbrush")


def test_words_and_files(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("__background__\ncat\n\n hot dog \n")
    assert names_of(str(path)) == names_of("cat,hot dog") == ("cat", "hot dog")
    assert (
        class_names("cat,dog", 3)
        == class_names(["__background__", "cat", "dog"], 3)
        == ("__background__", "cat", "dog")
    )
    assert class_names(None, 3) == ("__background__", "class 1", "class 2")


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("cat,cat", "classes=cat,cat: 'cat' is there twice"),
        (",", "classes=,: names nothing; write voc, coco, NAME,NAME,... or a file of names"),
        ("missing.txt", "classes=missing.txt: no such file"),
        (
            "a,b,c,d,e,f",
            "6 classes (a, b, c, d, e, ...) are named (classes=), but the net tells 2 and the background apart",
        ),
    ],
)
def test_other_words_are_refused(word: str, line: str) -> None:
    with pytest.raises(DetectionError) as error:
        class_names(word, 3)
    assert str(error.value) == line


def test_a_picture_is_no_list_of_names(tmp_path: Path) -> None:
    path = tmp_path / "names.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DetectionError, match="is no text file of names"):
        names_of(str(path))
