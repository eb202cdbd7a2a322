"""What a random net is held against; each check tells what differs, in one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .diffs import diffs
from .forward import forward
from .itself import batches, inference
from .layouts import layouts
from .ports import ports
from .trial import Trial
from .whole import backward_as_a_whole, forward_as_a_whole

__all__ = ["CHECKS", "Check", "Trial"]

Check = Callable[[Trial], Iterator[str]]
CHECKS: dict[str, Check] = {
    "forward": forward,
    "diffs": diffs,
    "layouts": layouts,
    "whole forward": forward_as_a_whole,
    "whole backward": backward_as_a_whole,
    "inference": inference,
    "batches": batches,
    "ports": ports,
}
"""By the name that a report has."""
