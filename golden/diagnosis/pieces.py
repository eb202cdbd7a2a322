"""A net cut at every blob whose golden value is known, each piece run by itself: what differs is its own doing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.net import Net, located
from ..fixture import Fixture

Blobs = Mapping[str, Tensor]
Run = Callable[..., tuple[Tensor, ...]]
"""A layer, or what stands in for one: bottoms to tops."""


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
class RunState:
    """What a piece draws from and changes besides blobs: both generators, running statistics by layer and index."""

    rng: Any
    generator: Tensor
    statistics: Mapping[tuple[int, int], Tensor]

    @classmethod
    def of(cls, net: Net, layers: Sequence[int]) -> RunState:
        """As it is now."""
        kept = [(i, k) for i in layers if net.steps[i].layer.statistics for k in range(len(net.steps[i].layer.params))]
        statistics = {(i, k): net.steps[i].layer.params[k].detach().clone() for i, k in kept}
        return cls(net.rng.get_state(), net.generator.get_state(), statistics)

    @torch.no_grad()
    def restore(self, net: Net) -> None:
        """As it was then."""
        net.rng.set_state(self.rng)
        net.generator.set_state(self.generator)
        for (i, k), value in self.statistics.items():
            net.steps[i].layer.params[k].copy_(value)

    @property
    def words(self) -> npt.NDArray[np.float64]:
        """NumPy's generator as a fixture has it: 624 words, position, has_gauss and gauss."""
        _, key, position, has_gauss, gauss = self.rng
        return np.array([*key, position, has_gauss, gauss], np.float64)

    def drawing(self, words: npt.NDArray[Any]) -> RunState:
        """The same with NumPy's generator from a fixture."""
        position, has_gauss, gauss = words[-3:].tolist()
        state = "MT19937", words[:-3].astype(np.uint32), int(position), int(has_gauss), gauss
        return replace(self, rng=state)


@dataclass(frozen=True)
class Ran:
    """A piece that was fed golden blobs, and what it gave; `again` runs it once more from the same random numbers."""

    net: Net
    piece: Piece
    golden: Blobs
    fed: Blobs
    tops: Blobs
    problem: str
    """Why it gave nothing, if so."""
    drawn: RunState
    """What it was run from."""
    left: RunState
    """The same as the pieces before left it."""

    @contextmanager
    def before(self) -> Iterator[None]:
        """The net as it was before the piece ran, for a while."""
        now = RunState.of(self.net, self.piece.layers)
        self.drawn.restore(self.net)
        try:
            yield
        finally:
            now.restore(self.net)

    def again(self, stand_ins: Mapping[int, Run]) -> dict[str, Tensor]:
        """The tops with other layers at some positions."""
        with self.before():
            return _run(self.net, self.piece, self.golden, self.fed, stand_ins)


class VersionNames:
    """The blobs of each layer by names that tell versions apart: `version/B/K` is overwritten in place, B stays."""

    def __init__(self, net: Net) -> None:
        count = Counter(top for node in net.nodes for top in node.tops)
        seen: Counter[str] = Counter()
        self.reads: list[tuple[str, ...]] = []
        self.writes: list[tuple[str, ...]] = []

        def name(blob: str, number: int) -> str:
            return blob if number == count[blob] - 1 else f"version/{blob}/{number}"

        for node in net.nodes:
            self.reads.append(tuple(name(blob, seen[blob] - 1) for blob in node.bottoms))
            self.writes.append(tuple(name(top, seen[top]) for top in node.tops))
            seen.update(node.tops)


def golden_blobs(net: Net, fixture: Fixture) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is known of a net's blobs, by the names of their versions, and the blobs that are fed.

    The tops of splits are known where their bottom is.
    """
    wiring, fed = VersionNames(net), {name: torch.from_numpy(np.array(blob)) for name, blob in fixture.bottoms.items()}
    known = {
        name: fed[top]
        for node, names in zip(net.nodes, wiring.writes, strict=True)
        for top, name in zip(node.tops, names, strict=True)
        if not node.bottoms and top in fed
    }
    named = fixture.tops | {f"version/{blob}/{number}": value for (blob, number), value in fixture.versions.items()}
    known |= {name: torch.from_numpy(np.array(blob)) for name, blob in named.items()}
    for node, reads, writes in zip(net.nodes, wiring.reads, wiring.writes, strict=True):
        if node.type == "Split" and reads[0] in known:
            known |= {name: known[reads[0]] for name in writes if name not in known}
    return known, fed


def cut(net: Net, known: Collection[str]) -> list[Piece]:
    """The pieces in the order of their first layers, given the names of the golden blobs."""
    wiring = VersionNames(net)
    made: dict[str, int] = {}
    group = list(range(len(net.nodes)))
    for i, (reads, writes) in enumerate(zip(wiring.reads, wiring.writes, strict=True)):
        for name in reads:
            if name not in known:
                first, second = sorted((group[made[name]], group[i]))
                group = [first if g == second else g for g in group]
        made.update(dict.fromkeys(writes, i))
    pieces = []
    for g in dict.fromkeys(group):
        layers = tuple(i for i, other in enumerate(group) if other == g)
        bottoms = dict.fromkeys(name for i in layers for name in wiring.reads[i] if name in known)
        tops = dict.fromkeys(name for i in layers for name in wiring.writes[i] if name in known)
        pieces.append(Piece(layers, tuple(bottoms), tuple(tops)))
    return pieces


def run_pieces(net: Net, golden: Blobs, fed: Blobs, rng: Mapping[str, npt.NDArray[Any]]) -> Iterator[Ran]:
    """Run every piece but those that are fed whole, from golden states of the random generator where they are known."""
    for piece in cut(net, golden):
        nodes = [net.steps[i].node for i in piece.layers]
        if len(nodes) == 1 and not nodes[0].bottoms and all(top in fed for top in nodes[0].tops):
            continue
        drawn = left = RunState.of(net, piece.layers)
        for node in nodes:
            if node.name in rng:
                drawn = left.drawing(rng[node.name])
        drawn.restore(net)
        tops, problem = {}, ""
        try:
            tops = _run(net, piece, golden, fed, {})
        except (PrototxtError, LayerError) as error:
            problem = str(error)
        yield Ran(net, piece, golden, fed, tops, problem, drawn, left)


@torch.no_grad()
def _run(net: Net, piece: Piece, golden: Blobs, fed: Blobs, stand_ins: Mapping[int, Run]) -> dict[str, Tensor]:
    values = {blob: golden[blob].clone() for blob in piece.bottoms}
    wiring = VersionNames(net)
    for i in piece.layers:
        node, layer = net.steps[i].node, net.steps[i].layer
        layer.overwrite = False  # what it takes may be asked for again
        if not node.bottoms and all(top in fed for top in node.tops):
            tops = tuple(fed[top].clone() for top in node.tops)
        else:
            with located(node):
                tops = stand_ins.get(i, layer)(*[values[name] for name in wiring.reads[i]])
        values.update(zip(wiring.writes[i], tops, strict=True))
    return {name: values[name].contiguous() for name in piece.tops}
