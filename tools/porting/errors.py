"""The error of this folder."""

from __future__ import annotations

from ...errors import RecaffeError


class PortingError(RecaffeError):
    """What was written did not come out as it should, and is not kept."""
