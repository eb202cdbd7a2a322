"""Anchors against the objects of a set."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.measures.anchor_fit import AnchorSettings, ScaledPicture, better, fit, scenes_of


def scene(*boxes: tuple[float, float, float, float], height: int = 320, width: int = 480) -> ScaledPicture:
    rows = torch.tensor(boxes, dtype=torch.float64)
    return ScaledPicture(height, width, rows, ((rows[:, 2] - rows[:, 0] + 1) * (rows[:, 3] - rows[:, 1] + 1)).numpy())


def test_an_anchor_fits_itself() -> None:
    """Of the table's second anchor, 184 wide and 96 high, moved by two cells and three."""
    one = AnchorSettings(scales=(8,), ratios=(0.5,))
    measured = fit(one, [scene((-84 + 160, -40 + 48, 99 + 160, 55 + 48))])
    assert measured.overlaps.tolist() == [1]
    assert measured.areas.tolist() == [184 * 96]


def test_anchors_across_the_border_do_not_count() -> None:
    box = (-84.0, -40.0, 99.0, 55.0)
    assert fit(AnchorSettings(scales=(8,), ratios=(0.5,)), [scene(box)]).overlaps[0] < 0.5
    assert fit(AnchorSettings(scales=(64,)), [scene(box)]).overlaps.tolist() == [0]


def test_scales_and_ratios_are_found_again() -> None:
    rng = np.random.RandomState(5)
    sides = [(16 * s / r**0.5, 16 * s * r**0.5) for s in (2, 6) for r in (0.5, 3.0) for _ in range(9)]
    boxes = [(x, y, x + w - 1, y + h - 1) for (w, h) in sides for x, y in [rng.uniform(0, 99, 2)]]
    found = better(AnchorSettings(), [scene(*boxes[:7]), scene(*boxes[7:])], 2, 2)
    assert found.scales == pytest.approx((2, 6))
    assert found.ratios == pytest.approx((0.5, 3))
    assert found == better(AnchorSettings(), [scene(*boxes)], 2, 2)
    assert found.param_str == r"'feat_stride': 16\n'scales': [2.0, 6.0]\n'ratios': [0.5, 3.0]"


def test_more_centres_than_objects() -> None:
    assert better(AnchorSettings(), [scene((0, 0, 31, 31))], 3, 1).scales == (2, 2, 2)


def test_scenes_are_at_the_training_scale(voc: VocSet) -> None:
    config = Config.default().with_flat({"TRAIN.SCALES": [96], "TRAIN.MAX_SIZE": 160})
    first = scenes_of(voc, config)[0]
    assert (first.height, first.width) == (102, 96)
    truth = voc.truths(voc.pictures()[0], (153, 162)).boxes
    assert np.allclose(first.boxes.numpy(), truth * (96 / 153))


def test_lines_are_by_area() -> None:
    measured = fit(AnchorSettings(scales=(2,), ratios=(1,)), [scene((88, 88, 119, 119), (0, 0, 99, 99))])
    assert measured.lines() == [
        "  all          2 objects:  50.0% at 0.5,  50.0% at 0.7, mean overlap 0.551",
        "  small        1 objects: 100.0% at 0.5, 100.0% at 0.7, mean overlap 1.000",
        "  medium       1 objects: 100.0% at 0.5, 100.0% at 0.7, mean overlap 1.000",
        "  large        1 objects:   0.0% at 0.5,   0.0% at 0.7, mean overlap 0.102",
    ]
