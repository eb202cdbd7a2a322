"""Normalisation broken in every way that a rule knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.diagnosis.findings import Cause
from recaffe.golden.fixture import Fixture

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
Broken = Callable[..., dict[str, Cause]]


@pytest.mark.parametrize(
    ("fixture", "text", "rule", "words"),
    [
        (
            "layers/lrn_within",
            ("norm_region: WITHIN_CHANNEL", ""),
            "LRN region",
            "the golden's norm_region is WITHIN_CHANNEL, NET's ACROSS_CHANNELS",
        ),
        (
            "layers/lrn_across",
            ("alpha: 0.5", "alpha: 0.1"),
            "LRN alpha",
            "the golden takes alpha times the sum of squares, Caffe their mean",
        ),
        (
            "layers/bn_test_global",
            ("use_global_stats: true", "use_global_stats: true eps: 0.001"),
            "BatchNorm eps",
            "the golden's eps is 1e-05, NET's 0.001",
        ),
        (
            "layers/bn_test_global",
            ("use_global_stats: true", "use_global_stats: false"),
            "BatchNorm statistics",
            "the golden takes the saved statistics, NET the batch's own",
        ),
    ],
)
def test_a_rule(fixture: str, text: tuple[str, str], rule: str, words: str, broken: Broken) -> None:
    causes = broken(fixture, text)
    assert list(causes) == [rule, "prototxt"]
    assert causes[rule].text == words


def test_a_lost_scale_factor(broken: Broken) -> None:
    causes = broken("layers/bn_test_global", weights={("op", 2): np.ones(1, np.float32)})
    assert causes["BatchNorm scale factor"].text == ("the golden divides mean and variance by 2 (param 2), NET by 1")


def test_a_golden_without_scale_factor(broken: Broken) -> None:

    known = Fixture.load(FIXTURES / "layers" / "bn_test_global.npz")
    mean, variance = (known.params["op", i].reshape(1, 3, 1, 1) for i in (0, 1))
    other = (known.bottoms["x"] - mean) / np.sqrt(variance + 1e-5)
    causes = broken(known, golden={"y": other.astype(np.float32)})
    assert "takes mean and variance as they are" in causes["BatchNorm scale factor"].text
