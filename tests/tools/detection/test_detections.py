"""Detections of a picture."""

from __future__ import annotations

import numpy as np

from recaffe.tools.detection.detections import Detection, Detections

ROWS = (
    np.zeros((0, 5), np.float32),
    np.array([[1, 2, 3, 4, 0.5]], np.float32),
    np.array([[5, 6, 7, 8.12345, 0.75], [5, 6, 7, 8, 0.25]], np.float32),
)
FOUND = Detections(("__background__", "cat", "dog"), ROWS)


def test_the_surest_come_first() -> None:
    assert len(FOUND) == 3
    assert [(detection.name, detection.score) for detection in FOUND] == [("dog", 0.75), ("cat", 0.5), ("dog", 0.25)]
    assert FOUND.of("cat") is ROWS[1]


def test_json_has_the_digits_that_count() -> None:
    assert next(iter(FOUND)).as_json() == {"class": "dog", "score": 0.75, "box": [5.0, 6.0, 7.0, 8.123]}
    assert Detection("cat", 1 / 3, (0, 0, 1, 1)).as_json()["score"] == 0.333333
