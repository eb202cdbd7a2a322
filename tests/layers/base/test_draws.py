from collections import Counter
from collections.abc import Iterator

import pytest

from recaffe.layers.base.draws import Draws


def test_numbers_are_those_of_mt19937() -> None:
    draws = Draws(5489)
    numbers = [draws.number() for _ in range(10_000)]
    # The standard library of C++ asks for these of its default seed.
    assert (numbers[0], numbers[-1]) == (3499211612, 4123659995)


def test_below_is_the_remainder() -> None:
    one, two = Draws(7), Draws(7)
    assert [one.below(limit) for limit in (1, 5, 3000)] == [two.number() % limit for limit in (1, 5, 3000)]


def test_a_seed_counts_modulo_32_bits() -> None:
    assert Draws(-1).number() == Draws(2**32 - 1).number()


def test_shuffle_swaps_from_the_last_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: Iterator[int] = iter([0, 2**32 - 1, 2**31 - 1, 2**31 // 3])
    monkeypatch.setattr(Draws, "number", lambda self: next(numbers))
    items = list("abcd")
    # d goes to place 0; 2³² − 1 is beyond three equal shares and is drawn again; c stays at 1; the last number is 0.
    Draws(1).shuffle(items)
    assert items == ["c", "d", "b", "a"]


def test_shuffle_has_no_favourite() -> None:
    draws, counts = Draws(3), Counter[str]()
    for _ in range(6000):
        items = list("abc")
        draws.shuffle(items)
        counts["".join(items)] += 1
    assert len(counts) == 6
    assert all(abs(count - 1000) < 150 for count in counts.values())
