"""Recall of proposals is the originals'."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.measures.recall import Objects, evaluate_recall
from recaffe.tools.detection.measures.set_recall import objects_of

from ..conftest import Golden


def test_evaluate_recall(golden: Callable[[str], Golden], voc: VocSet) -> None:
    want = golden("proposals_rpn")
    objects = objects_of(voc, voc.pictures())
    proposals = [want[f"{number}/boxes"] for number in range(len(objects))]
    keys = [key.removesuffix("/ar") for key in want if key.endswith("/ar")]
    assert len(keys) == 11
    for key in keys:
        _, area, *limit = key.split("/")
        asked = {"area": area, "limit": None if limit == ["None"] else int(limit[0])} if limit else {}
        own = {} if limit else {"thresholds": want[f"{key}/thresholds"]}
        recall = evaluate_recall(proposals, objects, **asked, **own)  # type: ignore[arg-type]
        for name, have in (
            ("ar", np.float64(recall.ar)),
            ("recalls", recall.recalls),
            ("thresholds", recall.thresholds),
            ("gt_overlaps", recall.overlaps),
        ):
            assert np.array_equal(have, want[f"{key}/{name}"], equal_nan=True), f"{key}/{name}"


BOX = np.array([[0, 0, 9, 9]])


def test_a_box_covers_one_object() -> None:
    two = Objects(np.array([[0, 0, 9, 9], [0, 0, 9, 8]]), np.array([100.0, 90]))
    recall = evaluate_recall([BOX], [two])
    assert recall.overlaps.tolist() == [0, 1]
    assert recall.ar == 0.5


def test_a_picture_without_proposals_is_asked_for() -> None:
    one = Objects(BOX, np.array([100.0]))
    recall = evaluate_recall([BOX, BOX[:0]], [one, one])
    assert recall.recalls.tolist() == [0.5] * 10
    assert recall.overlaps.tolist() == [1]


def test_an_unknown_area_is_refused() -> None:
    with pytest.raises(DetectionError, match="unknown area 'tiny': there are all, small, medium, large, 96-128"):
        evaluate_recall([], [], area="tiny")
