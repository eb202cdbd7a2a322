"""The error of this folder."""

from __future__ import annotations

from ...errors import RecaffeError


class TrainingError(RecaffeError):
    """A training cannot begin, or not go on."""
