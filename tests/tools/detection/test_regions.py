"""Proposals on their way into a net."""

from __future__ import annotations

import numpy as np

from recaffe.tools.detection.regions import project

BOXES = np.array([[0, 0, 31, 31], [64, 32, 95, 63], [1, 1, 32, 32], [0, 0, 223, 223]], np.float32)


def test_equal_places_go_through_the_net_once() -> None:
    regions = project(BOXES, [1.0], 1 / 16)
    assert regions.first.tolist() == [0, 1, 3]  # by y2, then x2
    assert regions.back.tolist() == [0, 1, 0, 2]
    assert np.array_equal(regions.rois[:, 1:], BOXES[regions.first])
    assert not regions.rois[:, 0].any()


def test_nothing_is_merged_without_dedup() -> None:
    regions = project(BOXES, [0.5], 0)
    assert np.array_equal(regions.rois[:, 1:], BOXES * 0.5)
    assert regions.first.tolist() == regions.back.tolist() == [0, 1, 2, 3]


def test_the_scale_is_the_one_nearest_to_224_squared() -> None:
    regions = project(BOXES, [1.0, 7.0], 0)
    assert regions.rois[:, 0].tolist() == [1, 1, 1, 0]
    assert np.array_equal(regions.rois[1, 1:], BOXES[1] * 7)


def test_no_proposals() -> None:
    regions = project(np.zeros((0, 4), np.float32), [1.0, 2.0], 1 / 16)
    assert regions.rois.shape == (0, 5)
    assert len(regions.first) == len(regions.back) == 0


def test_whole_numbers_do_not_overflow() -> None:
    regions = project(np.array([[0, 0, 65535, 65535]], np.uint16), [1.0, 0.001], 0)
    assert regions.rois[0, 0] == 1
