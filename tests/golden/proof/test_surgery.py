"""What an operation must leave alone is compared; what it may change is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.proof.surgery import compare_changed
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.operation import Promise, reached
from recaffe.prototxt.text.config import Config

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"


def frcnn() -> Net:
    return Net.from_prototxt(NETS / "frcnn_test.prototxt", weights=NETS / "frcnn_test.caffemodel")


def nudged(layer: str, by: float) -> Net:
    """The net with the first row of a layer's bias moved."""
    net = frcnn()
    net.layer(layer).params[1].detach()[0] += by
    return net


def test_the_same_net_keeps_any_promise() -> None:
    told = compare_changed(frcnn(), frcnn(), Promise())
    assert told == ["26 blobs the same on a random input", "26 blobs the same on a blank input"]


def test_one_value_breaks_it() -> None:
    with pytest.raises(GoldenError, match=r"^on a random input top/cls_score: .* values differ, first at \[0, 0\]"):
        compare_changed(frcnn(), nudged("cls_score", 1e-3), Promise())
    told = compare_changed(frcnn(), nudged("cls_score", 1e-6), Promise(limit=1e-4))
    assert told[0] == "26 blobs the same within 0.0001 on a random input"


def test_moved_blobs_may_differ_but_for_what_they_keep() -> None:
    moved = reached(frcnn(), {"cls_score"})
    promise = Promise(moved=moved, kept={"cls_score": [None, 1, 2, 3]})
    told = compare_changed(frcnn(), nudged("cls_score", 1), promise)
    assert told[:2] == ["24 blobs the same on a random input", "3 channels of cls_score the same on a random input"]
    with pytest.raises(GoldenError, match=r"^on a random input, in the channels that are kept, top/cls_score: "):
        compare_changed(frcnn(), nudged("cls_score", 1), Promise(moved=moved, kept={"cls_score": [0, 1, 2, 3]}))
    with pytest.raises(GoldenError, match="in the channels that are kept"):
        compare_changed(frcnn(), frcnn(), Promise(moved=moved, kept={"cls_score": [0, 2, 1, 3]}))


def test_a_lost_blob_is_found() -> None:
    text = (NETS / "frcnn_test.prototxt").read_text()
    short = Net.from_prototxt(text[: text.index('layer { name: "cls_prob"')], weights=NETS / "frcnn_test.caffemodel")
    with pytest.raises(GoldenError, match=r"^on a random input top/cls_prob: missing$"):
        compare_changed(frcnn(), short, Promise())


def test_other_proposals_from_the_same_numbers_are_told() -> None:
    """Here a limit of the config leads to others; after a merge it is rounding."""
    config = Config.default("frcnn").with_flat({"TEST.RPN_POST_NMS_TOP_N": 1})
    fewer = Net.from_prototxt(NETS / "frcnn_test.prototxt", weights=NETS / "frcnn_test.caffemodel", config=config)
    told = compare_changed(frcnn(), fewer, Promise(limit=1e-4))
    other = "rois other by rounding, so nothing behind it was compared"
    assert told == [
        f"{line} on a {name} input"
        for name in ("random", "blank")
        for line in ("19 blobs the same within 0.0001", other)
    ]
    with pytest.raises(GoldenError, match=r"^on a random input top/rois: shape "):
        compare_changed(frcnn(), fewer, Promise())


def test_how_far_outputs_moved_is_told() -> None:
    promise = Promise(limit=1e-4, moved=reached(frcnn(), {"cls_score"}), measured=True)
    told = compare_changed(frcnn(), nudged("cls_score", 1), promise)
    assert told[1].startswith("cls_prob moved by ")
    assert told[1].endswith(" of its largest magnitude on a random input")
    assert [line for line in told if "bbox_pred" in line] == []
