"""From a graph to its layers: constructed, set up, every blob's shape known, without any memory for blobs or params."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import prod

import torch

from ...layers import Layer, LayerError, Shape, times
from ..caffe_pb2 import LayerParameter
from ..text import Config
from .arguments import make_layer
from .gradients import with_needs
from .graph import AUTOMATIC, PHASES, Graph, Node
from .params import Param, collect_params
from .step import Needs, NetError, Step, located


@dataclass(frozen=True)
class Parts:
    """What a net is made of: its steps in the order they run, its params, and the shapes of its blobs."""

    steps: tuple[Step, ...]
    params: list[Param]
    shapes: dict[str, Shape]


def build_layers(
    graph: Graph, config: Config, context: Mapping[str, object], fed: Mapping[str, Shape] | None = None
) -> Parts:
    """Set up every layer in turn on the meta device; `fed` overrides the shapes of blobs that are handed in."""
    steps: list[Step] = []
    params: list[Param] = []
    shapes: dict[str, Shape] = {}
    named: dict[str, Param] = {}
    for node in graph.nodes:
        with located(node):
            layer = make_layer(node.message, _phase(node.message, graph.phase), config, context)
            step = _set_up(node, layer, shapes)
            collect_params(params, named, len(steps), step.node, layer)
        steps.append(step)
        if fed and not node.bottoms:
            _feed(step.node, shapes, fed)
    if unknown := set(fed or ()) - {top for step in steps if not step.node.bottoms for top in step.node.tops}:
        raise NetError(f"net {graph.name!r} takes no blob {sorted(unknown)[0]!r}")
    _overwrite_in_place(steps)
    needing = with_needs(steps)
    return Parts(tuple(step.forced() for step in needing) if graph.force_backward else needing, params, shapes)


def _set_up(node: Node, layer: Layer, shapes: dict[str, Shape]) -> Step:
    """Give a layer its bottoms' shapes, and add its tops' to the others."""
    node = _with_missing_tops(node, layer)
    if layer.never_in_place and set(node.tops) & set(node.bottoms):
        raise LayerError("cannot compute in place: give its top a name of its own")
    bottoms = [shapes[blob] for blob in node.bottoms]
    with torch.device("meta"):
        layer.setup(*bottoms, num_tops=len(node.tops))
        tops = dict(zip(node.tops, layer.top_shapes(*bottoms), strict=True))
    for top, shape in tops.items():
        if prod(shape) > sys.maxsize // torch.float32.itemsize:
            raise LayerError(f"top {top!r} would be {times(shape)}, which no memory holds")
    shapes.update(tops)
    return Step(node, layer, _loss_weights(node, layer), Needs(False, (), ()))


def _feed(node: Node, shapes: dict[str, Shape], fed: Mapping[str, Shape]) -> None:
    """Take the shapes of blobs that are handed in: as many axes as the layer gives, of any lengths."""
    for top in set(node.tops) & set(fed):
        if len(fed[top]) != len(shapes[top]):
            raise NetError(f"{node}: blob {top!r} has the axes {times(shapes[top])}, not {times(fed[top])}")
        shapes[top] = tuple(fed[top])


def _phase(message: LayerParameter, phase: str) -> str:
    """A layer's own phase, where it has one, else the net's."""
    return (
        next(name for name, number in PHASES.items() if number == message.phase) if message.HasField("phase") else phase
    )


def _with_missing_tops(node: Node, layer: Layer) -> Node:
    missing = layer.tops.least - len(node.tops) if layer.names_missing_tops else 0
    return replace(node, tops=node.tops + (AUTOMATIC,) * missing) if missing > 0 else node


def _loss_weights(node: Node, layer: Layer) -> tuple[float, ...]:
    """How much each top counts into the loss: as the prototxt says, else 1 for the first top of a loss."""
    given = tuple(node.message.loss_weight)
    if given and len(given) != len(node.tops):
        raise LayerError(f"has {len(given)} loss_weight for {len(node.tops)} top(s): give one for each top or none")
    return given or tuple(float(layer.is_loss and top == 0) for top in range(len(node.tops)))


def _overwrite_in_place(steps: Sequence[Step]) -> None:
    """Let an in-place layer overwrite its bottom where the bottom's maker does not need it."""
    maker: dict[str, Layer] = {}
    for step in steps:
        if step.node.overwrites(0):
            step.layer.overwrite = maker[step.node.bottoms[0]].fresh_top
        maker.update(dict.fromkeys(step.node.tops, step.layer))


def unique_keys(steps: Sequence[Step]) -> dict[str, Step]:
    """The steps by module names: the layers' own, without dots (torch's separator), numbered where they repeat."""
    keys: dict[str, Step] = {}
    for step in steps:
        base = step.node.name.replace(".", "_")
        candidates = (base if number == 1 else f"{base}#{number}" for number in count(1))
        keys[next(key for key in candidates if key not in keys)] = step
    return keys
