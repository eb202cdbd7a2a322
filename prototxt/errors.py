"""The error of this folder."""

from __future__ import annotations


class PrototxtError(ValueError):
    """A prototxt, its weights or its net cannot be used: one line that says what, where, and the way out."""
