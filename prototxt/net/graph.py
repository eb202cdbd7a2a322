"""From the layers of a prototxt to a wired graph: rules of phase, level and stage, splits, blobs by name.

The order of steps and every name are Caffe's, so that what is built can be compared with a log of the old machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ...nearest import did_you_mean
from ..caffe_pb2 import TEST, TRAIN, LayerParameter, NetParameter, NetState, NetStateRule
from ..errors import PrototxtError

PHASES = {"TRAIN": TRAIN, "TEST": TEST}
AUTOMATIC = "(automatic)"


class GraphError(PrototxtError):
    """The layers do not make a net."""


@dataclass(frozen=True)
class Node:
    """One layer of the graph: its message, and the blobs it takes and gives."""

    message: LayerParameter
    where: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    inserted: bool = False
    """Whether it is a Split that no prototxt has: it gives each reader of a blob a copy of its own."""

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.message.name

    @property
    def type(self) -> str:
        """The layer's type, as registered."""
        return self.message.type

    def overwrites(self, top: int) -> bool:
        """Whether a top is computed in place."""
        return top < min(len(self.bottoms), len(self.tops)) and self.tops[top] == self.bottoms[top]

    def __str__(self) -> str:
        return f"{self.where}: layer {self.name!r} ({self.type})"


@dataclass(frozen=True)
class Graph:
    """The layers in the order they run, and the blobs at the edges."""

    name: str
    phase: str
    force_backward: bool
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def build_graph(
    net: NetParameter, phase: str, where: Callable[[str], str], level: int = 0, stages: Sequence[str] = ()
) -> Graph:
    """Filter, split and wire an upgraded net; `where` gives a layer's place for messages."""
    if phase not in PHASES:
        raise GraphError(f"phase is TRAIN or TEST, not {phase!r}")
    state = NetState()
    state.CopyFrom(net.state)
    state.phase = PHASES[phase]
    state.stage.extend(stages)
    state.level = level  # the caller's always, as in Caffe; a file's own stages are added to the caller's
    kept, left_out = _filter(net.layer, state, where)
    split = _insert_splits(kept, where, _Absent(kept, left_out, where, phase))
    return _wire(net, phase, split, where)


def _filter(
    layers: Iterable[LayerParameter], state: NetState, where: Callable[[str], str]
) -> tuple[list[LayerParameter], list[LayerParameter]]:
    """Split the layers into those that the state keeps and those that it leaves out."""
    kept: list[LayerParameter] = []
    left_out: list[LayerParameter] = []
    for layer in layers:
        if layer.include and layer.exclude:
            raise GraphError(f"{where(layer.name)}: layer {layer.name!r} has include and exclude rules: keep one kind")
        if layer.include:
            stays = any(_meets(state, rule) for rule in layer.include)
        else:
            stays = not any(_meets(state, rule) for rule in layer.exclude)
        (kept if stays else left_out).append(layer)
    return kept, left_out


def _meets(state: NetState, rule: NetStateRule) -> bool:
    """Whether a state meets a rule: all that the rule names, so an empty rule is always met."""
    return (
        (not rule.HasField("phase") or rule.phase == state.phase)
        and (not rule.HasField("min_level") or state.level >= rule.min_level)
        and (not rule.HasField("max_level") or state.level <= rule.max_level)
        and all(stage in state.stage for stage in rule.stage)
        and not any(stage in state.stage for stage in rule.not_stage)
    )


@dataclass
class _Absent:
    """Finds words for a bottom that no earlier layer gives."""

    kept: list[LayerParameter]
    left_out: list[LayerParameter]
    where: Callable[[str], str]
    phase: str

    def error(self, layer: LayerParameter, position: int, known: Iterable[str]) -> GraphError:
        blob = layer.bottom[position]
        text = f"{self.where(layer.name)}: layer {layer.name!r} takes blob {blob!r} (bottom {position}), "
        for other in self.kept:
            if blob in other.top:
                return GraphError(text + self._comes_later(layer, other))
        for other in self.left_out:
            if blob in other.top:
                place = f"{other.name!r} ({self.where(other.name)})"
                return GraphError(text + f"which only layer {place} gives, and its rules leave it out of {self.phase}")
        return GraphError(text + "which no layer gives" + did_you_mean(blob, known))

    def _comes_later(self, layer: LayerParameter, other: LayerParameter) -> str:
        if other is layer:
            return "which it gives itself: in-place layers need an earlier one that makes the blob"
        place = f"{other.name!r} ({self.where(other.name)})"
        if set(other.bottom) & self._descendants(layer):
            return f"and layer {place} that gives it depends on it: the two make a cycle"
        return f"which layer {place} gives only later: move that layer up"

    def _descendants(self, layer: LayerParameter) -> set[str]:
        """The blobs that follow from a layer, whatever the order in the file."""
        blobs = set(layer.top)
        while True:
            more = {top for other in self.kept if blobs & set(other.bottom) for top in other.top}
            if more <= blobs:
                return blobs
            blobs |= more


@dataclass
class _Source:
    """One version of a blob: the layer and top that made it, and who takes it."""

    layer: str
    top: int
    readers: int = 0
    handed_out: int = 0
    loss_weight: float = 0.0


@dataclass
class _Versions:
    """The current version of every blob while the layers are walked."""

    last: dict[str, _Source] = field(default_factory=dict)
    read: list[list[_Source]] = field(default_factory=list)
    made: list[list[_Source]] = field(default_factory=list)

    def walk(self, layers: Sequence[LayerParameter], absent: _Absent) -> None:
        for layer in layers:
            for position, blob in enumerate(layer.bottom):
                if blob not in self.last:
                    raise absent.error(layer, position, self.last)
            self.read.append([self.last[blob] for blob in layer.bottom])
            for source in self.read[-1]:
                source.readers += 1
            self.made.append([_Source(layer.name, top) for top in range(len(layer.top))])
            self.last.update(zip(layer.top, self.made[-1], strict=True))
            # A top that counts into the loss has the loss as one more reader.
            for blob, weight in zip(layer.top, layer.loss_weight, strict=False):
                self.last[blob].loss_weight = weight
                self.last[blob].readers += weight != 0


def _insert_splits(
    layers: Sequence[LayerParameter], where: Callable[[str], str], absent: _Absent
) -> list[tuple[LayerParameter, bool]]:
    """Give each reader of a blob that has several a copy of its own, as Caffe does; with each layer, if it is new."""
    versions = _Versions()
    versions.walk(layers, absent)
    out: list[tuple[LayerParameter, bool]] = []
    for original, read, made in zip(layers, versions.read, versions.made, strict=True):
        layer = LayerParameter()
        layer.CopyFrom(original)
        out.append((layer, False))
        for position, source in enumerate(read):
            if source.readers > 1:
                layer.bottom[position] = _split_blob(layer.bottom[position], source, source.handed_out)
                source.handed_out += 1
        for blob, source in zip(original.top, made, strict=True):
            if source.readers > 1:
                out.append((_split_layer(blob, source), True))
                if source.loss_weight:
                    layer.ClearField("loss_weight")
                    source.handed_out += 1
    return out


def _split_blob(blob: str, source: _Source, copy: int) -> str:
    return f"{blob}_{source.layer}_{source.top}_split_{copy}"


def _split_layer(blob: str, source: _Source) -> LayerParameter:
    layer = LayerParameter(name=f"{blob}_{source.layer}_{source.top}_split", type="Split", bottom=[blob])
    layer.top.extend(_split_blob(blob, source, copy) for copy in range(source.readers))
    if source.loss_weight:
        layer.loss_weight.extend([source.loss_weight] + [0.0] * (source.readers - 1))
    return layer


def _wire(
    net: NetParameter, phase: str, layers: Sequence[tuple[LayerParameter, bool]], where: Callable[[str], str]
) -> Graph:
    """Check that every blob has one maker, and find the net's inputs and outputs."""
    makers: dict[str, LayerParameter] = {}
    unread: set[str] = set()
    nodes: list[Node] = []
    for layer, inserted in layers:
        node = Node(layer, where(layer.name), tuple(layer.bottom), tuple(layer.top), inserted)
        _check_counts(node)
        for blob in node.bottoms:
            if blob not in unread:
                raise GraphError(f"{node}: blob {blob!r} has been taken already: its name clashes with a split's")
            unread.discard(blob)
        for top, blob in enumerate(node.tops):
            if not node.overwrites(top) and blob in makers:
                first = makers[blob]
                raise GraphError(
                    f"{node}: gives blob {blob!r}, which layer {first.name!r} ({where(first.name)}) gives already: "
                    "rename one, or compute in place right after the maker, before any other layer takes it"
                )
            makers.setdefault(blob, layer)
            unread.add(blob)
        nodes.append(node)
    inputs = tuple(top for node in nodes if node.type == "Input" for top in node.tops)
    return Graph(net.name, phase, net.force_backward, tuple(nodes), inputs, tuple(sorted(unread, key=str.encode)))


def _check_counts(node: Node) -> None:
    flags = len(node.message.propagate_down)
    if flags not in (0, len(node.bottoms)):
        raise GraphError(f"{node}: has {flags} propagate_down for {len(node.bottoms)} bottom(s): give one each or none")
