"""The error of this folder."""

from __future__ import annotations

from ...errors import RecaffeError


class CommandError(RecaffeError):
    """A command cannot do what was asked: one line that says what, where, and the way out."""
