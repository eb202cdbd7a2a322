"""Charts: every value counted where it belongs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from recaffe.golden.compare import compare_blob
from recaffe.tools.report.html.charts import histogram, losses


def test_a_histogram_counts_every_value() -> None:
    want = np.array([1, 2, 3, 4, np.nan, np.inf, 0.5], np.float64)
    have = np.array([1, 2 + 4e-7, 3 + 4e-2, np.nan, np.nan, np.inf, 0.5], np.float64)
    html = str(histogram(want, have, compare_blob("top/a", want, have, 1e-5)))
    assert re.findall(r"<title>(\d+) values</title>", html) == ["4", "1", "1", "1"]
    kinds = re.findall(r'<rect x="([\d.]+)".*?class="(\w+)"', html)
    assert [kind for _, kind in kinds] == ["within", "within", "beyond", "beyond"]
    assert [float(x) for x, _ in kinds] == sorted(float(x) for x, _ in kinds)
    assert "errors in parts of the largest magnitude, 4: 2 of 7 beyond what is allowed (1e-05)" in html


def test_a_scalar() -> None:
    want, have = np.array(2.0), np.array(2.5)
    html = str(histogram(want, have, compare_blob("top/loss", want, have, 1e-5)))
    assert re.findall(r"<title>(.+?)</title>", html) == ["1 values"]
    assert 'class="beyond"' in html


def test_blobs_that_cannot_be_compared_have_none() -> None:
    want, have = np.zeros((2, 3)), np.zeros((3, 2))
    assert histogram(want, have, compare_blob("top/a", want, have, 1e-5)) is None


@pytest.mark.parametrize("allowed", [0.0, 1e-5])
def test_what_is_the_same(allowed: float) -> None:
    want = np.float32([[1, 2, 3]])
    html = str(histogram(want, want, compare_blob("top/a", want, want, allowed)))
    assert re.findall(r"<title>(.+?)</title>", html) == ["3 values"]
    assert 'class="beyond"' not in html


def test_losses() -> None:
    html = str(losses("loss", [4.0, 2.0, 1.0], [4.0, 3.0, float("nan")]))
    points = dict(re.findall(r'<polyline points="([^"]+)" class="(\w+)"', html))
    assert sorted((len(line.split()), kind) for line, kind in points.items()) == [(2, "ours"), (3, "golden")]
    assert "loss over 3 steps: golden 4 to 1, ours to nan" in html
