"""The error of this folder."""

from __future__ import annotations

from ...errors import RecaffeError


class DetectionError(RecaffeError):
    """A net, a data set or a device is not as detecting or measuring needs it."""
