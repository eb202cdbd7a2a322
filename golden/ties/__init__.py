"""Choices among equal scores: the golden's order followed, where equal scores allow it."""

from .dependents import count_dependents
from .golden_order import GoldenOrder
from .tie import Tie, level

__all__ = ["GoldenOrder", "Tie", "count_dependents", "level"]
