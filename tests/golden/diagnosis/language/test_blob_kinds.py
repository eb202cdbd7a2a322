"""The words of kinds of blob by themselves."""

from __future__ import annotations

import pytest

from recaffe.golden.diagnosis.language.blob_kinds import (
    CLASSES,
    IMAGE_INFO,
    ROI_BOXES,
    ROIS,
    TRUTHS,
    BlobKind,
    Items,
    deltas_of,
    labels_of,
    scores_of,
)


@pytest.mark.parametrize(
    ("kind", "index", "shape", "words"),
    [
        (Items("image"), (0, 3, 4, 5), (1, 7, 8, 9), "channel 3, row 4, column 5"),
        (Items("image"), (1, 3, 4, 5), (2, 7, 8, 9), "image 1, channel 3, row 4, column 5"),
        (Items(), (), (), "the only value"),
        (Items(), (2, 1, 4), (3, 5, 7), "item 2, channel 1, at [4]"),
        (CLASSES, (0, 4), (1, 6), "class 4"),
        (ROIS, (17, 3), (30, 5), "RoI 17, x2"),
        (ROIS, (17, 0, 0, 0), (30, 5, 1, 1), "RoI 17, image"),
        (ROI_BOXES, (17, 22), (30, 84), "RoI 17, class 5, dw"),
        (TRUTHS, (1, 4), (3, 5), "truth 1, class"),
        (IMAGE_INFO, (0, 2), (1, 3), "scale"),
        (scores_of(9), (0, 12, 4, 40), (1, 18, 38, 63), "anchor (row 4, column 40, #3), object"),
        (scores_of(9), (0, 1, 3 * 38 + 4, 40), (1, 2, 342, 63), "anchor (row 4, column 40, #3), object"),
        (scores_of(9), (0, 0, 3 * 38 + 4, 40), (1, 2, 342, 63), "anchor (row 4, column 40, #3), background"),
        (deltas_of(9), (0, 12, 12, 40), (1, 36, 38, 63), "anchor (row 12, column 40, #3), dx"),
        (labels_of(9), (0, 0, 3 * 38 + 12, 40), (1, 1, 342, 63), "anchor (row 12, column 40, #3)"),
    ],
)
def test_words(kind: BlobKind, index: tuple[int, ...], shape: tuple[int, ...], words: str) -> None:
    assert kind.at(index, shape) == words


def test_channels() -> None:
    assert deltas_of(9).channel(13) == "anchor #3, dy"
    assert scores_of(9).channel(3) == "anchor #3, background"
    assert ROI_BOXES.channel(5) == "class 1, dy"
