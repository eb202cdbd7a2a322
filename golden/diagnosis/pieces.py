"""A net cut at every blob whose golden value is known, each piece run by itself: what differs is its own doing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.net import Net
from ..isolate import Blobs, Isolation, StandIn, VersionNames
from ..run_state import RunState


@dataclass(frozen=True)
class Piece:
    """Layers that hand each other blobs without a golden value, such as an in-place chain; most are one layer."""

    layers: tuple[int, ...]
    """Their positions in the net."""
    bottoms: tuple[str, ...]
    """The golden blobs that they take."""
    tops: tuple[str, ...]
    """The golden blobs that they give."""


@dataclass(frozen=True)
class PieceRun:
    """A piece that was fed golden blobs, and what it gave; `again` runs it once more from the same random numbers."""

    isolation: Isolation
    piece: Piece
    state: RunState
    """What it was run from."""
    tops: Blobs = field(default_factory=dict)
    problem: str = ""
    """Why it gave nothing, if so."""

    @property
    def net(self) -> Net:
        """The net that it is a piece of."""
        return self.isolation.net

    @property
    def golden(self) -> Blobs:
        """The golden blobs of that net."""
        return self.isolation.golden

    @contextmanager
    def before(self) -> Iterator[None]:
        """The net as it was before the piece ran, for a while."""
        now = RunState.of(self.net, self.piece.layers)
        self.state.restore(self.net)
        try:
            yield
        finally:
            now.restore(self.net)

    @torch.no_grad()
    def again(self, stand_ins: Mapping[int, StandIn]) -> dict[str, Tensor]:
        """The tops with other layers at some positions."""
        with self.before():
            return _tops(self.isolation, self.piece, stand_ins)


def cut(net: Net, known: Collection[str]) -> list[Piece]:
    """The pieces in the order of their first layers, given the names of the golden blobs."""
    names = VersionNames(net)
    made: dict[str, int] = {}
    group = list(range(len(net.nodes)))
    for i, (reads, writes) in enumerate(zip(names.reads, names.writes, strict=True)):
        for name in reads:
            if name not in known:
                first, second = sorted((group[made[name]], group[i]))
                group = [first if g == second else g for g in group]
        made.update(dict.fromkeys(writes, i))
    pieces = []
    for g in dict.fromkeys(group):
        layers = tuple(i for i, other in enumerate(group) if other == g)
        bottoms = dict.fromkeys(name for i in layers for name in names.reads[i] if name in known)
        tops = dict.fromkeys(name for i in layers for name in names.writes[i] if name in known)
        pieces.append(Piece(layers, tuple(bottoms), tuple(tops)))
    return pieces


@torch.no_grad()
def run_pieces(isolation: Isolation) -> list[PieceRun]:
    """Run every piece but those that are fed whole."""
    net, done = isolation.net, []
    for piece in cut(net, isolation.golden):
        nodes = [net.steps[i].node for i in piece.layers]
        if len(nodes) == 1 and not nodes[0].bottoms and all(top in isolation.fed for top in nodes[0].tops):
            continue
        run = PieceRun(isolation, piece, RunState.of(net, piece.layers))
        try:
            done.append(replace(run, tops=_tops(isolation, piece)))
        except (PrototxtError, LayerError) as error:
            done.append(replace(run, problem=str(error)))
    return done


def _tops(isolation: Isolation, piece: Piece, stand_ins: Mapping[int, StandIn] = {}) -> dict[str, Tensor]:
    made = isolation.run(piece.layers, stand_ins)
    return {name: made[name].contiguous() for name in piece.tops}
