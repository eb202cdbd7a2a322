"""Nets that Caffe refuses to build: each is refused here in one line, or is taken for a reason that is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recaffe.errors import RecaffeError
from recaffe.prototxt.net.net import Net

PATH = Path(__file__).parents[3] / "golden" / "fixtures" / "random" / "refused.json"
CASES: list[dict[str, str]] = json.loads(PATH.read_text())
LAXER = {
    "axis 1 out of range for 1-D Blob": "BatchNorm takes a bottom of one axis as one channel, as Caffe's setup does",
    "Cannot use legacy accessors on Blobs with > 4 axes": "PReLU has as many axes as its bottom",
    "loss_weight must be unspecified or specified once per top": "a loss with several tops needs no loss_weight",
    "axis 0 out of range for 0-D Blob": "SigmoidCrossEntropyLoss in place: the scores are there until it is done",
}
"""What Caffe says where we go on, and why we do."""


def is_laxer(case: dict[str, str]) -> bool:
    return any(words in case["message"] for words in LAXER)


def test_there_are_cases() -> None:
    assert len(CASES) > 50
    assert len({case["kind"] for case in CASES}) > 50
    assert all(any(words in case["message"] for case in CASES) for words in LAXER)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number}-{CASES[number]['kind']}")
def test_is_refused_in_one_line(number: int) -> None:
    case = CASES[number]
    if is_laxer(case):
        Net.from_prototxt(case["prototxt"], case["phase"])
        return
    with pytest.raises(RecaffeError) as error:
        Net.from_prototxt(case["prototxt"], case["phase"])
    assert "\n" not in str(error.value)
    assert str(error.value)
