"""The error of this folder."""

from __future__ import annotations

from ...errors import RecaffeError


class ReportError(RecaffeError):
    """A report cannot be made."""
