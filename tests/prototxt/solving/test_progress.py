"""The smoothed loss."""

from __future__ import annotations

import pytest

from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.progress import SmoothedLoss


def test_it_is_the_mean_of_a_window() -> None:
    smoothed, values = SmoothedLoss(3), []
    for loss in (6.0, 2, 4, 3, 8):
        smoothed.add(loss)
        values.append(smoothed.value)
    assert values == pytest.approx([6, 4, 4, 3, 5])
    smoothed.clear()
    smoothed.add(7)
    assert smoothed.value == 7


def test_it_goes_on_with_as_many_as_its_window_holds() -> None:
    first = SmoothedLoss(3)
    for loss in (6.0, 2, 4, 3):
        first.add(loss)
    same, shorter, empty = SmoothedLoss(3), SmoothedLoss(2), SmoothedLoss(3)
    for other in (same, shorter):
        other.return_to(first.place())
        other.add(8)
    first.add(8)
    assert (same.value, shorter.value) == (first.value, pytest.approx(5.5))
    empty.return_to(SmoothedLoss(3).place())
    empty.add(1)
    assert empty.value == 1


def test_a_window_of_none_is_refused() -> None:
    with pytest.raises(SolverError, match=r"^has the average_loss 0: it must be 1 or more$"):
        SmoothedLoss(0)
