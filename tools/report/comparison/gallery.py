"""What a report shows of blobs, drawn while a comparison passes them by, so that no blob is kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from ....golden.diagnosis import BlobFinding, Vocabulary
from ..html import Html, histogram
from .heatmaps import heatmaps
from .overlay import overlay

Array = npt.NDArray[Any]
_FINE, _SMALL, _MOST_FINE = 128, 40, 60
"""The longest side of maps: of blobs that differ, the first so many; and of all others."""


@dataclass
class Gallery:
    """Drawings by mode (chain or isolated) and key; `compare_fixture` is handed it as its `watch`."""

    words: Vocabulary
    image: Array | None
    """On which RoIs are drawn."""
    image_id: str
    drawn: dict[tuple[str, str], list[Html]] = field(default_factory=dict)
    losses: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """Of a solver's steps: the golden's and ours, by output."""
    _fine: int = 0

    def __call__(self, mode: str, finding: BlobFinding, want: Array | None, have: Array | None) -> None:
        """Draw one blob; one that is the same is drawn once, not for each mode."""
        key = finding.result.key
        if want is None or have is None:
            return
        if mode == "trace":
            self._step(key, want, have)
        elif not finding.result.ok or ("chain", key) not in self.drawn:
            parts = [self._rois(finding, want, have), histogram(want, have, finding.result)]
            parts.append(heatmaps(want, have, self._side(finding)))
            self.drawn[mode, key] = [part for part in parts if part is not None]

    def _side(self, finding: BlobFinding) -> int:
        self._fine += not finding.result.ok
        return _SMALL if finding.result.ok or self._fine > _MOST_FINE else _FINE

    def _rois(self, finding: BlobFinding, want: Array, have: Array) -> Html | None:
        kind, _, name = finding.result.key.partition("/")
        if kind != "top" or self.image is None or not self.words.is_rois(name.rpartition("/")[2]):
            return None
        if not finding.result.ok and finding.rois is None:
            return None
        return overlay(want, have, finding.rois, self.image, self.image_id)

    def _step(self, key: str, want: Array, have: Array) -> None:
        """Losses are single numbers: trace/loss/STEP/OUTPUT."""
        _, kind, *rest = key.split("/", 3)
        if kind == "loss" and len(rest) == 2 and want.size == have.size == 1:
            self.losses[rest[1]].append((want.item(), have.item()))
