"""In which order pictures come: shuffled anew when they run out, as the originals shuffle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...layers import State
from .roidb import Entry

Numbers = NDArray[np.int64]


class PictureOrder:
    """Draws a permutation of the entries, and hands it out piece by piece.

    `grouped` keeps wide and high pictures apart, in pairs: wide ones and high ones are shuffled, put in a row, and the
    pairs of that row shuffled. A new one is drawn as soon as no more than `per_batch` are left, so that each time the
    last picture, or the last few, are left out: so it is in the originals. An odd picture, with which they fail, stays
    at the end.
    """

    def __init__(self, entries: Sequence[Entry], per_batch: int, grouped: bool, rng: np.random.RandomState) -> None:
        self.wide = np.array([entry.width >= entry.height for entry in entries])
        self.per_batch, self.grouped, self.rng = per_batch, grouped, rng
        self.at, self.numbers = 0, self._shuffled()

    def next(self) -> Numbers:
        """The numbers of the next batch's entries."""
        if self.at + self.per_batch >= len(self.numbers):
            self.numbers, self.at = self._shuffled(), 0
        batch = self.numbers[self.at : self.at + self.per_batch]
        self.at += self.per_batch
        return batch

    def ahead(self, batches: int) -> Numbers:
        """The entries of the next batches, as far as they are drawn."""
        left = -(-max(len(self.numbers) - self.per_batch - self.at, 0) // self.per_batch)
        return self.numbers[self.at : self.at + min(batches, left) * self.per_batch]

    def place(self) -> State:
        """Where it is."""
        return {"numbers": self.numbers, "at": np.array(self.at)}

    def return_to(self, place: State) -> None:
        """Go on from there."""
        self.numbers, self.at = np.asarray(place["numbers"], np.int64), int(place["at"])

    def _shuffled(self) -> Numbers:
        if not self.grouped:
            return self.rng.permutation(np.arange(len(self.wide)))
        kinds = (np.flatnonzero(self.wide), np.flatnonzero(~self.wide))
        row = np.hstack([self.rng.permutation(kind) for kind in kinds])
        pairs = row[: len(row) // 2 * 2].reshape(-1, 2)  # (N,) -> (N/2, 2)
        shuffled = pairs[self.rng.permutation(np.arange(len(pairs)))]
        return np.hstack((shuffled.reshape(-1), row[2 * len(pairs) :]))  # (N/2, 2) -> (N,)
