from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.errors import DataError
from recaffe.tools.datasets.minibatch import roi_blobs, roi_rule, rpn_blobs
from recaffe.tools.datasets.roidb import Entry

RFCN = Config.default("rfcn")


def entry() -> Entry:
    """A crowd, two truths and two proposals."""
    boxes = np.array([[0, 0, 3, 3], [2, 2, 9, 9], [20, 4, 29, 9], [2, 2, 9, 8], [50, 8, 59, 17]], np.float32)
    overlaps = np.array([-1, 1, 1, 0.875, 0.2], np.float32)
    targets = np.zeros((5, 5), np.float32)
    targets[3] = (1, 0.1, 0.2, 0.3, 0.4)
    truths, classes = np.array([2, 1, 2, 0, 0], np.int32), np.array([0, 1, 2, 1, 2])
    return Entry(
        "a", Path("a.png"), 60, 40, boxes, truths, overlaps, classes, np.zeros(5, np.float32), bbox_targets=targets
    )


def test_an_rpns_truths_include_crowds() -> None:
    blobs = rpn_blobs(entry(), np.zeros((20, 30, 3), np.float32), 0.5)
    assert blobs["im_info"].tolist() == [[20, 30, 0.5]]
    assert blobs["gt_boxes"].tolist() == [[0, 0, 1.5, 1.5, 2], [1, 1, 4.5, 4.5, 1], [10, 2, 14.5, 4.5, 2]]
    assert {blob.dtype for blob in blobs.values()} == {np.dtype(np.float32)}


def test_batch_size_minus_1_takes_all_but_crowds() -> None:
    config = RFCN.with_flat({"TRAIN.BATCH_SIZE": -1})
    blobs = roi_blobs([entry()] * 2, [np.zeros((2, 3, 3), np.float32)] * 2, [1, 2], 3, config, np.random.RandomState(0))
    assert blobs["rois"].shape == (8, 5)
    assert blobs["rois"][:, 0].tolist() == [0] * 4 + [1] * 4
    assert blobs["labels"].reshape(2, 4)[:, 3].tolist() == [0, 0]
    assert sorted(blobs["labels"][:3]) == [1, 1, 2]
    row = int(np.flatnonzero(blobs["rois"][:, 4] == 8)[0])
    assert blobs["bbox_targets"][row].tolist() == pytest.approx([0] * 4 + [0.1, 0.2, 0.3, 0.4] + [0] * 4)
    assert blobs["bbox_inside_weights"].sum() == blobs["bbox_outside_weights"].sum() == 8


def test_without_box_regression() -> None:
    config = Config().with_flat({"TRAIN.BBOX_REG": False})
    blobs = roi_blobs([entry()], [np.zeros((2, 3, 3), np.float32)], [1], 3, config, np.random.RandomState(0))
    assert list(blobs) == ["data", "rois", "labels"]


def test_a_batch_that_cannot_be_shared() -> None:
    with pytest.raises(DataError, match="BATCH_SIZE 128 cannot be shared among 3 pictures: make it a multiple"):
        roi_rule(Config(), 3)
