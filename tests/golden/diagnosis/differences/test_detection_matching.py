"""Detections matched by class and overlap: what is lost, added, moved, and what is near the threshold."""

from __future__ import annotations

import numpy as np
import pytest

from recaffe.golden.diagnosis.differences.detection_matching import ClassMatch, Single, match_detections

NOTHING = np.zeros((0, 5), np.float32)
ROWS = np.float32([[10, 10, 50, 50, 0.9], [100, 20, 160, 60, 0.7], [5, 70, 45, 120, 0.0505]])


def test_the_same() -> None:
    found = match_detections([NOTHING, NOTHING, ROWS], [NOTHING, NOTHING, ROWS], 0.05)
    assert found.ok
    assert found.classes == (ClassMatch(2, 3, 3, 3, 0.0, 0.0, 2),)


def test_moved_in_another_order() -> None:
    ours = ROWS[[1, 0, 2]].copy()
    ours[0, 2] += 2
    ours[1, 4] -= 0.1
    (match,) = match_detections([NOTHING, ROWS], [NOTHING, ours], 0.05).classes
    assert (match.matched, match.near) == (3, 2)
    assert (match.pixels, match.score) == (pytest.approx(2), pytest.approx(0.1))


def test_lost_and_added() -> None:
    ours = np.float32([[10, 10, 50, 50, 0.9], [100, 20, 160, 60, 0.7], [90, 70, 145, 120, 0.3]])
    found = match_detections([NOTHING, ROWS], [NOTHING, ours], 0.05)
    assert not found.ok
    lost, added = found.singles
    assert lost == Single("golden", 1, float(np.float32(0.0505)), (5.0, 70.0, 45.0, 120.0), 0.0, True)
    assert (added.side, added.near, added.box) == ("ours", False, (90.0, 70.0, 145.0, 120.0))


def test_classes_are_apart() -> None:
    found = match_detections([NOTHING, ROWS, NOTHING], [NOTHING, NOTHING, ROWS], 0.05)
    assert [(match.label, match.golden, match.ours) for match in found.classes] == [(1, 3, 0), (2, 0, 3)]
    assert [(single.side, single.label) for single in found.singles] == [("golden", 1)] * 3 + [("ours", 2)] * 3


def test_without_a_threshold_nothing_is_near() -> None:
    (match,) = match_detections([ROWS], [ROWS], -np.inf).classes
    assert match.near == 0
