from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from recaffe.tools.datasets.picture_order import PictureOrder


def order(wide: int, high: int, per_batch: int, grouped: bool = True) -> PictureOrder:
    sides = [SimpleNamespace(width=4, height=4)] * wide + [SimpleNamespace(width=3, height=4)] * high
    return PictureOrder(cast(Any, sides), per_batch, grouped, np.random.RandomState(5))


def test_wide_and_high_ones_come_in_pairs() -> None:
    numbers = order(6, 8, 2).numbers
    assert sorted(numbers) == list(range(14))
    assert all((a < 6) == (b < 6) for a, b in numbers.reshape(-1, 2))


@pytest.mark.parametrize("grouped", [True, False])
def test_the_last_ones_are_left_out(grouped: bool) -> None:
    pictures = order(5, 5, 2, grouped)
    first = pictures.numbers
    taken = np.hstack([pictures.next() for _ in range(4)])
    assert np.array_equal(taken, first[:8])
    assert pictures.ahead(3).size == 0
    assert np.array_equal(pictures.next(), pictures.numbers[:2])
    assert not np.array_equal(pictures.numbers, first)


@pytest.mark.parametrize("count", [1, 3, 9])
def test_an_odd_picture_stays_at_the_end(count: int) -> None:
    pictures = order(count, 0, 2)
    assert sorted(pictures.numbers) == list(range(count))
    assert len(pictures.next()) == min(count, 2)


def test_what_lies_ahead_is_what_comes() -> None:
    pictures = order(7, 6, 2)
    for _ in range(20):
        ahead = pictures.ahead(3)
        at = pictures.at
        coming = pictures.numbers[at : at + 6]
        assert np.array_equal(ahead, coming[: len(ahead)])
        assert len(ahead) == min(6, 12 - at)
        batch = pictures.next()
        assert len(ahead) == 0 or np.array_equal(batch, ahead[:2])
