"""A choice among equals: what the golden chose, what our layer gives along it, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...layers import Layer

EXACT = 1e-5
"""How far a layer's tops may lie from the golden's, in parts of the largest magnitude, where both had its bottoms."""


@dataclass(frozen=True)
class GoldenSide:
    """What a golden has of one layer."""

    tops: tuple[Tensor, ...]
    bottoms: tuple[Tensor, ...] | None
    """None where it lacks one of them."""


@dataclass(frozen=True)
class Choice:
    """A layer's tops along the golden's choice, and what is equal there."""

    tops: tuple[Tensor, ...]
    text: str
    """What is chosen otherwise."""
    places: tuple[str, ...]
    """Two that are equal, in the domain's words."""
    score: float
    """Of both of them."""
    noun: str = "score"
    alike: int = 0
    """How many more have it."""


Follow = Callable[[Layer, Sequence[Tensor], Sequence[Tensor], GoldenSide, float], Choice | None]
"""Layer, bottoms, its own tops, the golden's side, what is allowed: None where equals do not explain the golden."""


@dataclass(frozen=True)
class Tie:
    """A layer's choice among equals that the golden made otherwise; `str()` of it is one line."""

    layer: str
    text: str
    places: tuple[str, ...]
    score: float
    values: int
    """How many of the golden's values depend on the choice."""

    def __str__(self) -> str:
        depend = "1 value depends" if self.values == 1 else f"{self.values:,} values depend"
        return f"{self.text}; {depend} on it"


def tie_of(layer: str, choice: Choice, values: int) -> Tie:
    """A choice in words."""
    more = f", as have {choice.alike:,} more" if choice.alike else ""
    equal = f"{' and '.join(choice.places)} have the {choice.noun} {choice.score:.9g} both{more}"
    return Tie(layer, f"{layer!r}: {choice.text}: {equal}", choice.places, choice.score, values)


def level(ours: Tensor, golden: Tensor) -> Tensor:
    """Our scores, made equal where the golden's are: rounding parts what was a tie for the golden.

    Equal ones get the golden's score, or of ours the one nearest to it; all others keep their own.
    """
    _, groups = torch.unique(golden.flatten(), return_inverse=True)
    start = torch.zeros(len(groups), dtype=ours.dtype)
    least, most = (
        start.scatter_reduce(0, groups, ours.flatten(), which, include_self=False)[groups] for which in ("amin", "amax")
    )
    return torch.clamp(golden.flatten(), least, most).view(ours.shape)
