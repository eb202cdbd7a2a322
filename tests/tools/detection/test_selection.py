"""Which of all RoIs' boxes become detections."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from recaffe.prototxt.text.config import Config
from recaffe.tools.detection.selection import Selection, stacked

from .conftest import Golden

FAR = torch.tensor([[0.0, 0, 9, 9], [100, 0, 109, 9], [200, 0, 209, 9], [300, 0, 309, 9], [400, 0, 409, 9]])


def spread(count: int) -> torch.Tensor:
    """Boxes that do not meet, the same for every class."""
    return FAR.repeat(1, count)


def test_apply_nms(golden: Callable[[str], Golden]) -> None:
    want = golden("detection/frcnn/apply_nms")
    found = golden(f"detection/frcnn/all_boxes_{want['of']}")
    selection = Selection(nms=float(want["thresh"]))
    keys = [key for key in want if "/" in key]
    assert len(keys) == 24
    for key in keys:
        assert np.array_equal(selection.apply_nms(found[key]), want[key]), key


def test_boxes_without_area_fall_before_nms() -> None:
    rows = np.array([[5, 5, 5, 9, 0.9], [0, 0, 9, 9, 0.8], [1, 0, 9, 9, 0.7], [3, 8, 9, 8, 0.6]], np.float32)
    assert np.array_equal(Selection().apply_nms(rows), rows[1:2])


def test_a_score_at_the_threshold_is_dropped() -> None:
    scores = torch.tensor([[0.9, 0.0, 0.1], [0.5, 0.25, 0.25], [0.4, 0.5, float("nan")], [1, 0, 0], [1, 0, 0]])
    rows = Selection(0.25).pick(scores, spread(3))
    assert [row[:, 4].tolist() for row in rows] == [[], [0.5], []]
    everything = Selection(-np.inf).pick(scores, spread(3))
    assert [len(row) for row in everything] == [0, 5, 4]


def test_equal_scores_come_by_roi() -> None:
    scores = torch.tensor([[0.5, 0.5], [0.4, 0.6], [0.5, 0.5], [0.4, 0.6], [0.5, 0.5]])
    (_, rows) = Selection().pick(scores, spread(2))
    assert rows[:, 0].tolist() == [100, 300, 0, 200, 400]


def test_all_that_tie_with_the_last_stay() -> None:
    scores = torch.tensor([[0, 0.9, 0.3], [0, 0.5, 0.5], [0, 0.5, 0.4], [0, 0.2, 0.1], [0, 0.1, 0.1]])
    assert [row[:, 4].tolist() for row in Selection(0.05, 2).pick(scores, spread(3))] == [
        [],
        pytest.approx([0.9, 0.5, 0.5]),
        pytest.approx([0.5]),
    ]
    assert [len(row) for row in Selection(0.05, 0).pick(scores, spread(3))] == [0, 5, 5]


def test_each_class_is_suppressed_by_itself() -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9], [1, 0, 10, 9]]).repeat(1, 3)
    scores = torch.tensor([[0.1, 0.5, 0.4], [0.1, 0.3, 0.6]])
    _, first, second = Selection().pick(scores, boxes)
    assert first[:, :1].tolist() == [[0]]
    assert second[:, :1].tolist() == [[1]]


@pytest.mark.parametrize(("inclusive", "kept"), [(True, 1), (False, 2)])
def test_an_overlap_at_the_threshold(inclusive: bool, kept: int) -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 4]]).repeat(1, 2)  # 0.5
    scores = torch.tensor([[0.1, 0.9], [0.2, 0.8]])
    assert len(Selection(nms=0.5, inclusive=inclusive).pick(scores, boxes)[1]) == kept


def test_class_agnostic_boxes_are_the_second_four_columns() -> None:
    boxes = torch.cat((torch.full((5, 4), 7.0), FAR), dim=1)
    scores = torch.full((5, 4), 0.25)
    for rows in Selection().pick(scores, boxes)[1:]:
        assert np.array_equal(rows[:, :4], FAR.numpy())


def test_no_roi_no_detection() -> None:
    rows = Selection().pick(torch.zeros(0, 3), torch.zeros(0, 12))
    assert [row.shape for row in rows] == [(0, 5)] * 3


def test_the_config_decides() -> None:
    config = Config.default().with_flat({"TEST.NMS": 0.4, "USE_GPU_NMS": True})
    assert Selection.of(config) == Selection(0.05, 100, 0.4, False)
    assert Selection.of(Config.default("rfcn"), max_per_image=5) == Selection(-np.inf, 5, 0.3, True)


def test_rows_of_all_classes_are_stacked() -> None:
    rows = [np.zeros((0, 5), np.float32), np.ones((1, 5), np.float32), np.full((2, 5), 3, np.float32)]
    assert stacked(rows).tolist() == [[1, 1, 1, 1, 1, 1], [3, 3, 3, 3, 3, 2], [3, 3, 3, 3, 3, 2]]
