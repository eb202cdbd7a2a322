"""RoIs matched as sets."""

from __future__ import annotations

import numpy as np

from recaffe.golden.diagnosis.differences.roi_matching import Moved, match_rois

ROIS = np.float32([[0, 10, 10, 49, 49], [0, 60, 0, 99, 39], [0, 0, 60, 79, 99], [1, 10, 10, 49, 49]])


def test_the_same() -> None:
    match = match_rois(ROIS, ROIS, 0)
    assert (match.same, match.moved, match.reordered, match.lost, match.added) == (4, (), (), (), ())
    assert str(match) == "4 of 4 RoIs the same"
    assert match_rois(ROIS[..., None, None], ROIS + 1e-4, 1e-3).same == 4


def test_moved_and_reordered() -> None:
    other = ROIS[[1, 0, 2, 3]].copy()
    other[2, 3] += 5
    other[3, 1] -= 2
    match = match_rois(ROIS, other, 1e-3)
    assert match.moved == (Moved(2, 2, 5.0), Moved(3, 3, 2.0))
    assert match.reordered == ((0, 1), (1, 0))
    assert str(match) == (
        "0 of 4 RoIs the same, 2 moved, golden's RoI 2 farthest, by 5 px, 2 in another row, golden's RoI 0 as ours 1"
    )


def test_lost_and_added() -> None:
    other = np.concatenate((ROIS[[0, 2, 3]], np.float32([[0, 200, 200, 240, 240]])))
    match = match_rois(ROIS, other, 1e-3)
    assert [roi.row for roi in match.lost] == [1]
    assert [(roi.row, roi.nearest) for roi in match.added] == [(3, 0.0)]
    assert str(match).endswith(
        "1 lost (RoI 1: 60 0 99 39, nearest overlaps it by 0.00), 1 added (RoI 3: 200 200 240 240, "
        "nearest overlaps it by 0.00)"
    )


def test_an_image_is_part_of_a_roi() -> None:
    other = ROIS.copy()
    other[3, 0] = 2
    match = match_rois(ROIS, other, 1e-3)
    assert ([roi.row for roi in match.lost], [roi.row for roi in match.added]) == ([3], [3])


def test_one_to_one() -> None:
    match = match_rois(ROIS[[0]], ROIS[[0, 0]] + np.float32([[0, 1, 0, 0, 0]]), 1e-3)
    assert (len(match.moved), len(match.added)) == (1, 1)


def test_none_at_all() -> None:
    assert [roi.row for roi in match_rois(ROIS, ROIS[:0], 0).lost] == [0, 1, 2, 3]
    assert match_rois(ROIS[:0], ROIS[:0], 0).same == 0
