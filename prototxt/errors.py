"""The error of this folder."""

from __future__ import annotations

from ..errors import RecaffeError


class PrototxtError(RecaffeError):
    """A prototxt, its weights or its net cannot be used: one line that says what, where, and the way out."""
