"""What a run gave, under the names of a fixture's keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Outcome:
    """Blobs after forward, and the diffs of blobs after backward."""

    tops: dict[str, Tensor] = field(default_factory=dict)
    diffs: dict[str, Tensor] = field(default_factory=dict)
