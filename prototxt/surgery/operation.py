"""One operation on a net: the message it edits, where each param comes from, and what must stay the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...layers import Filler, times
from ...nearest import did_you_mean
from ..caffe_pb2 import LayerParameter, NetParameter
from ..errors import PrototxtError
from ..net import Net

Rows = list[int | None]
"""For each new row the old one that it was, None for what is new."""
Build = Callable[[NetParameter], Net]


class SurgeryError(PrototxtError):
    """A net cannot be changed as asked."""


@dataclass
class Promise:
    """What an operation leaves as it was."""

    limit: float = 0.0
    """How far a blob may move, in parts of its largest magnitude; 0 is not at all."""
    moved: set[str] = field(default_factory=set)
    """Blobs that are others now, or gone."""
    kept: dict[str, Rows] = field(default_factory=dict)
    """Of those, the ones that keep some of their channels."""
    measured: bool = False
    """Whether outputs that are others now are still about the same: how far they moved is told."""


class Operation:
    """What is done to a net, step by step, until `finish` builds the net that comes of it.

    `message` is the whole prototxt, layers of both phases; `net` has the params of the layers that its phase knows.
    """

    def __init__(self, net: Net, message: NetParameter) -> None:
        names = [step.node.name for step in net.steps if step.layer.param_shapes]
        if twins := {name for name in names if names.count(name) > 1}:
            raise SurgeryError(
                f"net {net.graph.name!r} has several layers {min(twins)!r} with params: rename one by hand"
            )
        self.net = net
        self.message = NetParameter()
        self.message.CopyFrom(message)
        self.values: dict[str, Sequence[Tensor]] = {}
        """New params of a layer."""
        self.rows: dict[str, Rows] = {}
        """Where the rows of a layer's params come from; what is new is left to the fillers."""
        self.origins: dict[str, str] = {}
        """New name of a layer -> its old name."""
        self.changes: dict[str, list[str]] = {}
        """What was done, by the layer's new name."""
        self.kept: list[str] = []
        """Classes and anchors that go on, and what they were."""
        self.untrained: dict[str, str] = {}
        """What no training has seen, by layer."""
        self.notes: list[str] = []
        self.promise = Promise()

    def layers(self, name: str) -> list[LayerParameter]:
        """The layers of a name, of which a prototxt may have one for each phase; at least one."""
        found = [layer for layer in self.message.layer if layer.name == name]
        if not found:
            hint = did_you_mean(name, (layer.name for layer in self.message.layer))
            raise SurgeryError(f"no layer {name!r} in net {self.message.name!r}{hint}")
        return found

    def sole_layer(self, name: str, kinds: Collection[str]) -> LayerParameter:
        """A layer with params of its own that is there once in the prototxt and is of one of these types."""
        found = self.layers(name)
        text = f"layer {name!r} ({found[0].type})"
        if found[0].type not in kinds:
            raise SurgeryError(f"{text} is no {' or '.join(kinds)}")
        if len(found) > 1:
            raise SurgeryError(f"{text} stands {len(found)} times in the prototxt: rename one first")
        if name not in self.net.layers:
            raise SurgeryError(f"{text} has no params in phase {self.net.phase}: choose its phase")
        if sharers := [p for p in self.net.param_list if p.shared and name in p.layers]:
            others = ", ".join(repr(other) for other in sharers[0].layers if other != name)
            raise SurgeryError(f"{text} shares its params with {others or 'itself'}: give it params of its own first")
        return found[0]

    def did(self, layer: str, *what: str) -> None:
        """Note what was done to a layer."""
        self.changes.setdefault(layer, []).extend(what)

    def set(self, layer: str, field: str, old: object, new: object) -> None:
        """Note another value of a layer's field."""
        if str(old) != str(new):
            self.did(layer, f"{field} {old} -> {new}")

    def replace(self, layer: LayerParameter, *others: LayerParameter) -> None:
        """Put others in a layer's place, or none; what was looked up in the message before is stale then."""
        layers: list[LayerParameter] = []
        for old in self.message.layer:
            copy = LayerParameter()
            copy.CopyFrom(old)
            layers += others if old is layer else [copy]
        del self.message.layer[:]
        self.message.layer.extend(layers)

    def resize(self, name: str, rows: Rows, what: str) -> None:
        """Have a layer's rows come from these; `what` names the new ones for the report."""
        self.rows[name] = rows
        self.promise.moved |= reached(self.net, {name})
        if name not in self.net.layers:
            self.notes.append(
                f"layer {name!r} is not of phase {self.net.phase}: its prototxt changed, it has no params"
            )
        elif None in rows:
            fillers = ", ".join(map(describe, self.net.layer(name).fillers))
            self.untrained[name] = f"{what} (filled by {fillers})"

    def finish(self, build: Build) -> Net:
        """Build the new net, with every param in its place."""
        net = build(self.message)
        given: dict[tuple[str, int], Tensor] = {}
        for name in net.param_shapes:
            origin = self.origins.get(name, name)
            if name in self.values:
                given |= {(name, i): value for i, value in enumerate(self.values[name])}
            elif name not in self.rows:
                given |= {(name, i): value for i, value in enumerate(self.net.layer(origin).params)}
        net.fill(given)
        for name in self.rows.keys() & net.param_shapes.keys():
            self._copy_rows(net, name)
        self._tell_shapes(net)
        return net

    @torch.no_grad()
    def _copy_rows(self, net: Net, name: str) -> None:
        """Take over the rows that were there before."""
        rows, layer = self.rows[name], net.layer(name)
        places = torch.tensor([i for i, row in enumerate(rows) if row is not None], dtype=torch.long)
        sources = torch.tensor([row for row in rows if row is not None], dtype=torch.long)
        for old, new in zip(self.net.layer(name).params, layer.params, strict=True):
            axis = 1 if getattr(layer, "transpose", False) and new.dim() > 1 else 0
            if new.shape[axis] == len(rows):
                new.index_copy_(axis, places, old.index_select(axis, sources))
            else:
                new.copy_(old)  # the count of a BatchNorm, which has no rows

    def _tell_shapes(self, net: Net) -> None:
        for name, shapes in net.param_shapes.items():
            old = self.net.param_shapes.get(self.origins.get(name, name), [])
            for index, shape in enumerate(shapes):
                if index >= len(old):
                    self.did(name, f"param {index} is {times(shape)}")
                elif old[index] != shape:
                    self.did(name, f"param {index} was {times(old[index])}, is {times(shape)}")


def reached(net: Net, layers: Collection[str]) -> set[str]:
    """The blobs that depend on what these layers give."""
    blobs: set[str] = set()
    for node in net.nodes:
        if node.name in layers or blobs & set(node.bottoms):
            blobs |= set(node.tops)
    return blobs


def spread(rows: Rows, count: int) -> Rows:
    """The rows of what has `count` numbers in a row for each."""
    return [None if row is None else row * count + k for row in rows for k in range(count)]


def describe(filler: Filler) -> str:
    """A filler in a few words."""
    fields: Mapping[str, tuple[str, ...]] = {"constant": ("value",), "gaussian": ("std",), "uniform": ("min", "max")}
    return " ".join([filler.type, *(f"{getattr(filler, name):g}" for name in fields.get(filler.type, ()))])
