"""Detections on their picture."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.tools.detection.detections import Detection
from recaffe.tools.detection.drawing import colour_of, drawn, save_picture

GREY = np.full((200, 300, 3), 128, np.uint8)
CLASSES = ("__background__", "cat", "dog")


def coloured(pixels: np.ndarray, label: int) -> np.ndarray:
    """Where a class's colour is: y, x."""
    return np.argwhere((pixels == colour_of(label)).all(axis=2))


def test_a_box_and_its_label() -> None:
    picture = drawn(GREY, [Detection("dog", 0.875, (60, 50, 199, 149))], CLASSES)
    assert (GREY == 128).all()
    rows, columns = coloured(picture, 2).T
    assert (rows.max(), columns.min(), columns.max()) == (150, 59, 200)  # two pixels wide
    assert rows.min() < 40  # the label stands on the box
    assert len(coloured(picture, 1)) == 0
    assert (picture[80:120, 100:160] == 128).all()
    assert (picture[:30] == 128).all()


def test_labels_stay_in_the_picture_and_apart() -> None:
    boxes = [(0, 0, 299, 199), (0, 0, 298, 198), (1, 1, 297, 197), (250, 190, 299, 199)]
    found = [Detection("cat" if i % 2 else "dog", 0.9 - i / 10, box) for i, box in enumerate(boxes)]
    one_by_one = [drawn(GREY, found[:count], CLASSES) for count in range(1, 5)]
    assert all(not np.array_equal(a, b) for a, b in combinations(one_by_one, 2))


def test_many_classes_have_colours_of_their_own() -> None:
    assert len({colour_of(label) for label in range(81)}) == 81
    near = [
        (a, b) for a, b in combinations(range(1, 9), 2) if np.abs(np.subtract(colour_of(a), colour_of(b))).max() < 40
    ]
    assert near == []


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_is_saved_whole(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    save_picture(path, GREY)
    assert np.array_equal(cv2.imread(str(path)), GREY)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(PrototxtError, match="exists already"):
        save_picture(path, GREY)
    save_picture(path, GREY[:9], force=True)
    assert cv2.imread(str(path)).shape == (9, 300, 3)
