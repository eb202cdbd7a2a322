"""The layers that say what there is and where: found by following the graph, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from ..caffe_pb2 import LayerParameter, NetParameter
from .operation import Operation, Rows, SurgeryError, spread
from .wiring import Way, Wiring

LEARNED = ("InnerProduct", "Convolution")
_OR = " and ".join(LEARNED)
_CARRIED = ("rpn_cls_score", "rpn_bbox_pred")
BOX_LOSSES = ("SmoothL1Loss", "SmoothL1LossOHEM", "EuclideanLoss")


@dataclass
class Head:
    """A learned layer and what its channels pass through."""

    layer: LayerParameter
    way: Way

    @property
    def outputs(self) -> int:
        """How many channels it has."""
        return int(learned_param(self.layer).num_output)

    @property
    def cells(self) -> int:
        """How many cells a position-sensitive grid has for each number; 1 where there is no grid."""
        dims = (other.psroi_pooling_param.output_dim for other in self.way.layers if other.type == "PSROIPooling")
        dim = next(dims, 0)
        return self.outputs // dim if dim else 1

    def resize(self, operation: Operation, rows: Rows, what: str) -> None:
        """Give the layer these channels, and tell all that says how many they are; cells of a grid are added."""
        name, outputs, unit = self.layer.name, self.outputs, self.outputs // self.cells
        whole = spread(rows, self.cells)
        learned_param(self.layer).num_output = len(whole)
        operation.set(name, "num_output", outputs, len(whole))
        operation.resize(name, whole, what)
        operation.promise.kept |= dict.fromkeys(self.layer.top, whole)
        softened = False
        for other in self.way.layers:
            resize_count(operation, other, unit, len(rows))
            shapes = operation.net.param_shapes.get(other.name)
            if shapes and shapes[0] in ((unit,), (outputs,)):
                operation.resize(other.name, rows if shapes[0] == (unit,) else whole, what)
            softened |= other.type == "Softmax"
            if not softened:
                operation.promise.kept |= {top: rows for top in other.top if top not in self.layer.top}


def resize_count(operation: Operation, layer: LayerParameter, old: int, new: int) -> None:
    """Change what a layer behind a head says of the number of its channels."""
    if layer.type == "PSROIPooling":
        layer.psroi_pooling_param.output_dim = new
        operation.set(layer.name, "output_dim", old, new)
    dims = layer.reshape_param.shape.dim if layer.type == "Reshape" else []
    for axis in [i for i, dim in enumerate(dims) if dim == old]:
        dims[axis] = new
        operation.set(layer.name, "dim", old, new)


@dataclass
class AnchorHeads:
    """The layers that make anchors, and those that score and move them."""

    makers: list[LayerParameter] = field(default_factory=list)
    scores: list[Head] = field(default_factory=list)
    boxes: list[Head] = field(default_factory=list)
    counts: list[LayerParameter] = field(default_factory=list)
    """The Reshapes of probabilities, which say how many there are."""

    @property
    def layers(self) -> list[LayerParameter]:
        """The learned ones."""
        return [head.layer for head in self.scores + self.boxes]

    def add(self, heads: list[Head], wiring: Wiring, blob: str) -> None:
        """Add the heads behind a blob."""
        for layer in wiring.behind(blob)[0]:
            if not holds(self.layers, layer):
                way = wiring.way(layer)
                # The first Reshape parts background from object; its 2 is no count of channels.
                way.layers = list(takewhile(lambda other: other.type != "Reshape", way.layers))
                heads.append(Head(layer, way))


def holds(layers: Iterable[LayerParameter], layer: LayerParameter) -> bool:
    """Whether a layer is one of these, and not just like one."""
    return any(layer is other for other in layers)


def learned_param(layer: LayerParameter) -> Any:
    """The message with a learned layer's num_output."""
    if layer.type not in LEARNED:
        raise SurgeryError(f"layer {layer.name!r} ({layer.type}) is a head that cannot be resized: only {_OR} can")
    return layer.inner_product_param if layer.type == "InnerProduct" else layer.convolution_param


def anchor_heads(net: NetParameter) -> AnchorHeads:
    """Follow the bottoms of ProposalLayers and the targets of AnchorTargetLayers."""
    wiring, found = Wiring(net), AnchorHeads()
    for layer in net.layer:
        kind = layer.python_param.layer if layer.type == "Python" else ""
        if kind == "ProposalLayer":
            found.makers.append(layer)
            found.add(found.scores, wiring, layer.bottom[0])
            found.add(found.boxes, wiring, layer.bottom[1])
            found.counts += _behind_softmax(wiring, layer.bottom[0])
        elif kind == "AnchorTargetLayer":
            found.makers.append(layer)
            readers = (reader for top in layer.top for reader in wiring.readers[top])
            for loss in (reader for reader in readers if reader.bottom[0] not in layer.top):
                found.add(found.boxes if loss.type in BOX_LOSSES else found.scores, wiring, loss.bottom[0])
    if not found.makers:
        _add_carried(found, net, wiring)
    return found


def _add_carried(found: AnchorHeads, net: NetParameter, wiring: Wiring) -> None:
    """Add the heads that a step of training only carries along: nobody reads them, so they go by their names."""
    for name, heads in zip(_CARRIED, (found.scores, found.boxes), strict=True):
        for layer in (layer for layer in net.layer if layer.name == name):
            ends = {reader.type for top in layer.top for reader in wiring.readers[top]}
            heads += [Head(layer, Way())] if ends == {"Silence"} else []


def _behind_softmax(wiring: Wiring, blob: str) -> list[LayerParameter]:
    """The Reshapes between a Softmax and a blob."""
    passed = takewhile(lambda other: other.type != "Softmax", wiring.behind(blob)[1])
    return [other for other in passed if other.type == "Reshape"]
