"""What a run gave, under the names of a fixture's keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from ..prototxt.net import ParamName


@dataclass
class Inner:
    """Values that layers overwrote in place, and the random generator's state before a layer."""

    versions: dict[ParamName, Tensor] = field(default_factory=dict)
    rng: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class RunResult:
    """Blobs after forward, and the diffs of blobs after backward; what passed on the way, where that was watched."""

    tops: dict[str, Tensor] = field(default_factory=dict)
    diffs: dict[str, Tensor] = field(default_factory=dict)
    inner: Inner | None = None
