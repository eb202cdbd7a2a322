"""The error of this folder."""

from __future__ import annotations

from ..errors import RecaffeError


class GoldenError(RecaffeError):
    """A fixture cannot be used: one line that says which file, what is wrong, and the way out."""
