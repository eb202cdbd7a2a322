"""The word that was likely meant, for errors about a word that is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The end of an error, such as `; did you mean 'ReLU'?`; empty where no known word is near."""
    near = nearest(word, known, cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6, *, count: int = 1, fold: bool = False) -> list[str]:
    """The known words that are nearest, the best first: at most `count`, with `fold` whatever their case.

    `cutoff` is how alike they must be at least, from 0 to 1.
    """
    by_key: dict[str, list[str]] = {}
    for name in known:
        by_key.setdefault(name.lower() if fold else name, []).append(name)
    found = get_close_matches(word.lower() if fold else word, by_key, count, cutoff)
    return [name for key in found for name in by_key[key]]


def by_likeness(word: str, known: Iterable[str]) -> list[str]:
    """All known words, the most alike first, whatever their case; those that are equally alike keep their order."""
    return sorted(known, key=lambda name: SequenceMatcher(None, word.upper(), name).ratio(), reverse=True)
