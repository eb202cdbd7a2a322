"""From bare results to findings: who made a blob, where it differs in the domain's words, RoIs as sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy.typing as npt
from torch import Tensor

from ...layers import Layer, ProposalLayer, ProposalTargetLayer
from ...prototxt.net import Net
from ..compare import BlobResult, largest_magnitude
from ..limits import WHOLE
from ..run import Report
from .differences import match_rois, measure
from .findings import BlobFinding
from .language import Vocabulary

Array = npt.NDArray[Any]
Watch = Callable[[BlobFinding, Array | None, Array | None], None]
"""Is shown every finding with the golden's values and ours, which are not kept."""


class Describer:
    """Knows a net, and the golden's own net for what ours lacks."""

    def __init__(self, net: Net, reference: Net, words: Vocabulary, watch: Watch | None = None) -> None:
        self.net = net
        self.words = words
        self.watch = watch
        both = [node for one in (reference, net) for node in reversed(one.nodes)]
        self._makers = {top: node.name for node in both for top in node.tops}
        self.decisions = {step.node.name for step in net.steps if _decides(step.layer)}
        """Layers whose tops depend on choices."""

    def readers(self, blob: str) -> list[int]:
        """The positions of the layers that take a blob's last version, behind splits that were added."""
        last = max((i for i, node in enumerate(self.net.nodes) if blob in node.tops), default=0)
        found = []
        for i, node in enumerate(self.net.nodes):
            if i > last and blob in node.bottoms:
                found += [r for top in node.tops for r in self.readers(top)] if node.inserted else [i]
        return found

    def describe(self, report: Report) -> Iterator[BlobFinding]:
        """Every result of a run."""
        for result in report.results:
            yield self.finding(result, *report.values[result.key])

    def finding(self, result: BlobResult, want: Array, have: Array | Tensor | None) -> BlobFinding:
        """One result in words."""
        if result.kind == "rng":
            return BlobFinding(result, result.key.partition("/")[2])
        ours = have.detach().cpu().numpy() if isinstance(have, Tensor) else have
        found = self._finding(result, want, ours)
        if self.watch is not None:
            self.watch(found, want, ours)
        return found

    def _finding(self, result: BlobResult, want: Array, ours: Array | None) -> BlobFinding:
        kind, name = _name(result.key)
        layer = name.rpartition("/")[0] if kind in ("param_diff", "post") else self._maker(kind, name)
        if ours is None or ours.shape != want.shape or not want.size:
            return BlobFinding(result, layer, rois=self._rois(kind, name, result, want, ours))
        measures = measure(want, ours)
        first = self._place(kind, name, result.first, want)
        worst = self._place(kind, name, measures.worst if result.different else None, want)
        return BlobFinding(result, layer, measures, first, worst, self._rois(kind, name, result, want, ours))

    def _maker(self, kind: str, name: str) -> str:
        """The layer that gave a blob first, or a version of it."""
        if kind != "version":
            return self._makers.get(name, "")
        blob, _, number = name.rpartition("/")
        return [node.name for node in self.net.nodes if blob in node.tops][int(number)]

    def _place(self, kind: str, name: str, index: tuple[int, ...] | None, want: Array) -> str:
        if index is None:
            return ""
        if kind in ("param_diff", "post"):
            layer, _, number = name.rpartition("/")
            return self.words.param(layer, int(number), index)
        return self.words.blob(name.rpartition("/")[0] if kind == "version" else name, index, want.shape)

    def _rois(self, kind: str, name: str, result: BlobResult, want: Array, have: Array | None) -> Any:
        if result.ok or kind != "top" or have is None or not self.words.is_rois(name):
            return None
        if want.shape[1:2] != (5,) or have.shape[1:2] != (5,):
            return None
        allowed = (result.allowed or WHOLE) * largest_magnitude(want)
        return match_rois(want, have, allowed)


def _name(key: str) -> tuple[str, str]:
    """The kind and the name of a key; of several forwards the number is left out."""
    kind, _, name = key.partition("/")
    number, slash, rest = name.partition("/")
    return kind, rest if kind == "top" and slash and number.isdigit() else name


def _decides(layer: Layer) -> bool:
    return bool(layer.discrete) or isinstance(layer, ProposalLayer | ProposalTargetLayer)
