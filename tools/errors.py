"""The error of this folder."""

from __future__ import annotations


class CommandError(ValueError):
    """A command cannot do what was asked: one line that says what, where, and the way out."""
