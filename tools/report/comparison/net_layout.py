"""Where the boxes of a net go on paper: from top to bottom in the order they run, branches side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ....prototxt.net import Node

_ROW, _PAD, _GAP, _APART, _LANE = 22.0, 4.0, 24.0, 18.0, 6.0
_SWEEPS = 8


@dataclass(frozen=True)
class Box:
    """A layer, and those that compute in place on its blob, in the order they run: positions in the net."""

    layers: tuple[int, ...]
    width: float

    @property
    def height(self) -> float:
        """A row for each layer."""
        return len(self.layers) * _ROW + 2 * _PAD


@dataclass(frozen=True)
class Placed:
    """A box and the place of its upper left corner."""

    box: Box
    x: float
    y: float

    def row(self, number: int) -> float:
        """The upper edge of one of its rows."""
        return self.y + _PAD + number * _ROW


@dataclass(frozen=True)
class Layout:
    """Boxes, and lines from one to the next; a line is the points that it runs through, straight down at each pair."""

    boxes: tuple[Placed, ...]
    lines: tuple[tuple[tuple[float, float], ...], ...]
    width: float
    height: float


def lay_out(nodes: Sequence[Node], widths: Sequence[float]) -> Layout:
    """The layout of a net's layers, each as wide as its text; splits that Caffe adds are left out."""
    boxes, edges = _boxes(nodes, widths)
    return _Drawing(boxes, edges).layout() if boxes else Layout((), (), 0.0, 0.0)


def _boxes(nodes: Sequence[Node], widths: Sequence[float]) -> tuple[list[Box], set[tuple[int, int]]]:
    stacks: list[list[int]] = []
    edges: set[tuple[int, int]] = set()
    makers: dict[str, int] = {}
    for i, node in enumerate(nodes):
        if node.inserted:
            makers.update(dict.fromkeys(node.tops, makers[node.bottoms[0]]))
            continue
        if node.tops and node.overwrites(0):
            at = makers[node.bottoms[0]]
            stacks[at].append(i)
        else:
            at = len(stacks)
            stacks.append([i])
        edges |= {(makers[blob], at) for blob in node.bottoms if makers[blob] != at}
        makers.update(dict.fromkeys(node.tops, at))
    return [Box(tuple(stack), max(widths[i] for i in stack)) for stack in stacks], edges


@dataclass
class _Spot:
    """A box, or where a long line passes a row of boxes."""

    rank: int
    width: float
    box: Box | None = None
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    x: float = 0.0
    """Of its middle."""


class _Drawing:
    """Boxes in ranks: each below all that it takes from; long lines get a lane through every rank between."""

    def __init__(self, boxes: Sequence[Box], edges: set[tuple[int, int]]) -> None:
        ranks = _ranks(len(boxes), edges)
        self.spots = [_Spot(rank, box.width, box) for rank, box in zip(ranks, boxes, strict=True)]
        self.edges = sorted(edges)
        self.ways = [self._way(*edge) for edge in self.edges]
        self.ranks: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
        for number, spot in enumerate(self.spots):
            self.ranks[spot.rank].append(number)

    def _way(self, start: int, end: int) -> list[int]:
        """The spots from one box to another; lines that start at the same box share lanes as long as they can."""
        way = [start]
        for rank in range(self.spots[start].rank + 1, self.spots[end].rank):
            shared = (s for s in self.spots[way[-1]].below if self.spots[s].box is None)
            spot = next(shared, len(self.spots))
            if spot == len(self.spots):
                self.spots.append(_Spot(rank, _LANE))
                self._join(way[-1], spot)
            way.append(spot)
        self._join(way[-1], end)
        return [*way, end]

    def _join(self, above: int, below: int) -> None:
        self.spots[above].below.append(below)
        self.spots[below].above.append(above)

    def layout(self) -> Layout:
        """Order the ranks so that few lines cross, put every spot near those it belongs to, read off the places."""
        self._order()
        self._place()
        left = min(spot.x - spot.width / 2 for spot in self.spots) - _PAD
        right = max(spot.x + spot.width / 2 for spot in self.spots) + _PAD
        tops, y = [], _PAD
        for rank in self.ranks:
            tops.append(y)
            y += max((box.height for s in rank if (box := self.spots[s].box)), default=0.0) + _GAP
        placed = [Placed(spot.box, spot.x - spot.width / 2 - left, tops[spot.rank]) for spot in self.spots if spot.box]
        lines = tuple(tuple(self._points(way, tops, left)) for way in self.ways)
        return Layout(tuple(placed), lines, right - left, y - _GAP + _PAD)

    def _points(self, way: Sequence[int], tops: Sequence[float], left: float) -> list[tuple[float, float]]:
        points = []
        for spot in (self.spots[number] for number in way):
            height = spot.box.height if spot.box else tops[spot.rank + 1] - tops[spot.rank] - _GAP
            points += [(spot.x - left, tops[spot.rank]), (spot.x - left, tops[spot.rank] + height)]
        return points[1:-1]

    def _order(self) -> None:
        places = {s: float(i) for rank in self.ranks for i, s in enumerate(rank)}
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            for rank in self.ranks if down else reversed(self.ranks):
                rank.sort(key=lambda s: (_middle(self._near(s, down), places, places[s]), places[s]))
                places.update({s: float(i) for i, s in enumerate(rank)})

    def _near(self, spot: int, above: bool) -> list[int]:
        return self.spots[spot].above if above else self.spots[spot].below

    def _place(self) -> None:
        xs = dict.fromkeys(range(len(self.spots)), 0.0)
        for sweep in range(_SWEEPS + 1):
            down = sweep % 2 == 0
            for rank in self.ranks if down else reversed(self.ranks):
                wished = [_middle(self._near(s, down), xs, xs[s]) for s in rank]
                xs.update(zip(rank, _apart(wished, [self.spots[s].width for s in rank]), strict=True))
        for s, x in xs.items():
            self.spots[s].x = x


def _ranks(count: int, edges: set[tuple[int, int]]) -> list[int]:
    """Each box below all that it takes from; one that takes nothing right above the first that takes from it."""
    above, below = defaultdict(list), defaultdict(list)
    for start, end in sorted(edges):
        above[end].append(start)
        below[start].append(end)
    ranks = [0] * count
    for box in range(count):
        ranks[box] = max((ranks[a] + 1 for a in above[box]), default=0)
    for box in range(count):
        if not above[box] and below[box]:
            ranks[box] = min(ranks[b] for b in below[box]) - 1
    return ranks


def _middle(near: Sequence[int], places: dict[int, float], otherwise: float) -> float:
    return sum(places[s] for s in near) / len(near) if near else otherwise


def _apart(wished: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to those wished for, in their order, at which nothing overlaps."""
    starts = [0.0]
    for a, b in pairwise(widths):
        starts.append(starts[-1] + (a + b) / 2 + _APART)
    groups: list[tuple[float, int]] = []  # the mean offset of neighbours that touch, and how many they are
    for x, start in zip(wished, starts, strict=True):
        groups.append((x - start, 1))
        while len(groups) > 1 and groups[-2][0] >= groups[-1][0]:
            (b, n), (a, m) = groups.pop(), groups.pop()
            groups.append(((a * m + b * n) / (m + n), m + n))
    offsets = [offset for offset, count in groups for _ in range(count)]
    return [offset + start for offset, start in zip(offsets, starts, strict=True)]
