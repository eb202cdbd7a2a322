"""A net whose layers choose among equals as the golden did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from ...layers import AccuracyLayer, ArgMaxLayer, BoxAnnotatorOHEMLayer, Layer, ProposalLayer
from ...prototxt.net import Net, Step
from ..compare import compare_blob
from ..fixture import Fixture
from ..isolate import VersionNames
from .accuracies import follow_accuracy
from .hard_examples import follow_hard_examples
from .places import follow_places
from .proposals import follow_proposals
from .tie import Follow, GoldenSide, Tie, tie_of

Array = npt.NDArray[np.float32]
_FOLLOW: Mapping[type[Layer], Follow] = {
    ProposalLayer: follow_proposals,
    ArgMaxLayer: follow_places,
    BoxAnnotatorOHEMLayer: follow_hard_examples,
    AccuracyLayer: follow_accuracy,
}


class GoldenOrder:
    """While it is entered, a layer that gives other tops than the golden gives the golden's choice among equals.

    It does so only where the golden's tops follow from an order that equal scores allow, and `ties` tells of it. What
    comes behind is then computed along that order.
    """

    def __init__(self, net: Net, fixture: Fixture, allowed: float) -> None:
        self._net, self._allowed = net, allowed
        self._sides = _sides(net, fixture)
        self._handles: list[RemovableHandle] = []
        self._found: dict[int, Tie] = {}

    def __enter__(self) -> GoldenOrder:
        for i in self._sides:
            layer = self._net.steps[i].layer
            self._handles.append(layer.register_forward_hook(partial(self._choose, i)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._handles:
            self._handles.pop().remove()

    @property
    def ties(self) -> list[Tie]:
        """What was chosen otherwise, in the net's order."""
        return [self._found[i] for i in sorted(self._found)]

    @property
    def behind(self) -> set[str]:
        """The blobs that the first of these choices can change."""
        reached: set[str] = set()
        for i, step in enumerate(self._net.steps):
            if i in self._found or reached & set(step.node.bottoms):
                reached |= set(step.node.tops)
        return reached

    @torch.no_grad()
    def _choose(
        self, i: int, layer: Layer, bottoms: Sequence[Tensor], tops: Sequence[Tensor]
    ) -> tuple[Tensor, ...] | None:
        """What a layer gives in place of its own tops; None leaves them."""
        golden, own = self._sides[i], [top.detach() for top in tops]
        different = self._different(layer, golden.tops, own)
        if not different or not _alike(golden.tops, own, rows_vary=isinstance(layer, ProposalLayer)):
            return None
        follow = _follow_of(self._net.steps[i])
        choice = follow and follow(layer, [bottom.detach() for bottom in bottoms], own, golden, self._allowed)
        if not choice:
            return None
        if layer is self._net.steps[i].layer:  # and not a stand-in that shares its hooks
            self._found[i] = tie_of(self._net.steps[i].node.name, choice, different)
        return choice.tops

    def _different(self, layer: Layer, wanted: Sequence[Tensor], tops: Sequence[Tensor]) -> int:
        """How many of the golden's values a layer does not give."""
        results = [
            compare_blob("", want.numpy(), top, self._allowed, exact=position in layer.discrete)
            for position, (want, top) in enumerate(zip(wanted, tops, strict=True))
        ]
        return sum(r.different or (0 if r.ok else want.numel()) for r, want in zip(results, wanted, strict=True))


def _alike(golden: Sequence[Tensor], own: Sequence[Tensor], rows_vary: bool) -> bool:
    """Whether the golden's tops may be the layer's: of their kind, and of their shapes, or but for the first axis."""
    start = 1 if rows_vary else 0
    return all(a.dtype == b.dtype and a.shape[start:] == b.shape[start:] for a, b in zip(golden, own, strict=True))


def _follow_of(step: Step) -> Follow | None:
    return next((follow for kind, follow in _FOLLOW.items() if isinstance(step.layer, kind)), None)


def _sides(net: Net, fixture: Fixture) -> dict[int, GoldenSide]:
    """By position, the golden's blobs of the layers that choose among equals."""
    places = [i for i, step in enumerate(net.steps) if _follow_of(step)]
    if not places:
        return {}
    names, known = VersionNames(net), _known(net, fixture)
    sides = {}
    for i in places:
        tops, bottoms = names.writes[i], names.reads[i]
        if known.keys() >= set(tops):
            whole = known.keys() >= set(bottoms)
            sides[i] = GoldenSide(_tensors(known, tops), _tensors(known, bottoms) if whole else None)
    return sides


def _known(net: Net, fixture: Fixture) -> dict[str, Array]:
    """The golden's blobs by the names of versions, those of splits that were added among them."""
    names = VersionNames(net)
    known = {**fixture.bottoms, **fixture.tops}
    known |= {f"version/{blob}/{number}": value for (blob, number), value in fixture.versions.items()}
    for node, reads, writes in zip(net.nodes, names.reads, names.writes, strict=True):
        if node.type == "Split" and reads[0] in known:
            known = dict.fromkeys(writes, known[reads[0]]) | known
    return known


def _tensors(known: Mapping[str, Array], names: Sequence[str]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(np.array(known[name])) for name in names)
