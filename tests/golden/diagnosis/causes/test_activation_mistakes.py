"""Layers that act on each number by itself, and losses, broken in every way that a rule knows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recaffe.golden.diagnosis.findings import Cause

Broken = Callable[..., dict[str, Cause]]


@pytest.mark.parametrize(
    ("fixture", "text", "rule", "words"),
    [
        (
            "layers/dropout_test",
            ("dropout_ratio: 0.4", "dropout_ratio: 0.4 scale_train: false"),
            "dropout scale",
            "the golden scales by 0.6 in TRAIN (scale_train: true)",
        ),
        (
            "layers/dropout_test_scale_at_test",
            ("scale_train: false", ""),
            "dropout scale",
            "the golden scales by 0.6 in TEST (scale_train: false)",
        ),
        (
            "layers/relu_leaky",
            ("relu_param { negative_slope: 0.1 }", ""),
            "ReLU slope",
            "the golden's slope below zero is 0.1, NET's 0",
        ),
        ("layers/softmax_axis2", ("axis: 2", "axis: 1"), "softmax axis", "the golden's axis is 2, NET's 1"),
        ("layers/smooth_l1_sigma3", ("sigma: 3", "sigma: 1"), "smooth L1 sigma", "the golden's sigma is 3, NET's 1"),
    ],
)
def test_a_rule(fixture: str, text: tuple[str, str], rule: str, words: str, broken: Broken) -> None:
    causes = broken(fixture, text)
    assert list(causes) == [rule, "prototxt"]
    assert causes[rule].text == words
