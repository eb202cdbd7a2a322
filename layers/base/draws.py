"""The random numbers of Caffe's own generator, number for number."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TypeVar

import numpy as np

from .layer import State

T = TypeVar("T")
_RANGE = 1 << 32


def random_state(rng: np.random.RandomState) -> State:
    """Where a generator is."""
    _, keys, position, has_gauss, gauss = rng.get_state(legacy=True)
    return {"keys": np.asarray(keys), "at": np.array([position, has_gauss]), "gauss": np.array(gauss)}


def set_random_state(rng: np.random.RandomState, place: State) -> None:
    """Have a generator go on from there."""
    position, has_gauss = (int(item) for item in place["at"])
    rng.set_state(("MT19937", place["keys"], position, has_gauss, float(place["gauss"])))


class Draws:
    """A stream of mt19937's raw 32-bit numbers; a net has one, from which its data layers seed their own."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.RandomState(seed % _RANGE)

    def number(self) -> int:
        """The next number, 0 to 2³² − 1."""
        return int(self._rng.randint(_RANGE, dtype=np.uint32))

    def place(self) -> State:
        """Where the stream is."""
        return random_state(self._rng)

    def return_to(self, place: State) -> None:
        """Go on from there."""
        set_random_state(self._rng, place)

    def below(self, limit: int) -> int:
        """The next number's remainder by `limit`."""
        return self.number() % limit

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Swap each item, the last one first, with itself or one before it."""
        for last in range(len(items) - 1, 0, -1):
            # Equal shares of the numbers for each place; what is left over at the top is drawn again.
            share = _RANGE // (last + 1)
            while (place := self.number() // share) > last:
                pass
            items[last], items[place] = items[place], items[last]
