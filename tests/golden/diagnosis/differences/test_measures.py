"""Measures of how far two blobs lie apart."""

from __future__ import annotations

import numpy as np
import pytest

from recaffe.golden.diagnosis.differences.measures import measure


def blob(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_means_and_place() -> None:
    found = measure(blob(1, -4, 2, 0).reshape(2, 2), blob(1, -4, 2.5, 0.25).reshape(2, 2))
    assert (found.mean, found.mean_relative, found.worst) == (0.1875, 0.046875, (1, 0))


@pytest.mark.parametrize(
    ("want", "have", "ulps"),
    [(1.0, 1.0, 0), (1.0, np.nextafter(np.float32(1), np.float32(2)), 1), (0.0, -0.0, 0), (1e-45, -1e-45, 2)],
)
def test_ulps(want: float, have: float, ulps: int) -> None:
    assert measure(blob(want), blob(have)).ulps == ulps


def test_ulps_across_a_power_of_two() -> None:
    below = np.nextafter(np.float32(2), np.float32(0))
    assert measure(blob(below), blob(np.nextafter(np.float32(2), np.float32(3)))).ulps == 2
    assert measure(np.array([1.0]), np.array([1.5])).ulps is None


def test_cosine() -> None:
    assert measure(blob(1, 2, 2), blob(2, 4, 4)).cosine == pytest.approx(1)
    assert measure(blob(1, 0), blob(0, 3)).cosine == 0
    assert measure(blob(0, 0), blob(0, 3)).cosine is None


def test_what_is_not_finite_does_not_count() -> None:
    found = measure(blob(np.nan, 1, np.inf), blob(np.nan, 2, 3))
    assert (found.mean, found.worst) == (1, (1,))
    assert measure(blob(np.nan), blob(np.nan)).worst is None
