"""From a graph to its layers: constructed, set up, every blob's shape known, without any memory for blobs or params."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count

import torch

from ...layers import Layer, LayerError, Shape, times
from ..caffe_pb2 import LayerParameter
from ..errors import PrototxtError
from ..text import Config
from .arguments import make_layer
from .gradients import Flow, backward_flow
from .graph import AUTOMATIC, PHASES, Graph, Node
from .params import Param, collect_params


class NetError(PrototxtError):
    """A net cannot be built or run as asked."""


@dataclass
class Parts:
    """What a net is made of, layer by layer."""

    nodes: list[Node] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    params: list[Param] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    flow: Flow = field(default_factory=lambda: Flow([], [], []))


@contextmanager
def located(node: Node) -> Iterator[None]:
    """Add a layer's name and place to what goes wrong in it."""
    try:
        yield
    except LayerError as error:
        raise NetError(f"{node}: {error}") from error
    except RuntimeError as error:
        raise NetError(f"{node}: {str(error).splitlines()[0]}") from error


def build_layers(
    graph: Graph, config: Config, context: Mapping[str, object], fed: Mapping[str, Shape] | None = None
) -> Parts:
    """Set up every layer in turn on the meta device; `fed` overrides the shapes of blobs that are handed in."""
    parts = Parts()
    named: dict[str, Param] = {}
    for node in graph.nodes:
        with located(node):
            layer = make_layer(node.message, _phase(node.message, graph.phase), config, context)
            node = _with_missing_tops(node, layer)
            if layer.never_in_place and set(node.tops) & set(node.bottoms):
                raise LayerError("cannot compute in place: give its top a name of its own")
            bottoms = [parts.shapes[blob] for blob in node.bottoms]
            with torch.device("meta"):
                layer.setup(*bottoms, num_tops=len(node.tops))
                tops = layer.top_shapes(*bottoms)
            parts.weights.append(_loss_weights(node, layer))
            collect_params(parts.params, named, len(parts.nodes), node, layer)
        parts.nodes.append(node)
        parts.layers.append(layer)
        parts.shapes.update(zip(node.tops, tops, strict=True))
        if fed and not node.bottoms:
            _feed(node, parts.shapes, fed)
    if unknown := set(fed or ()) - {top for node in parts.nodes if not node.bottoms for top in node.tops}:
        raise NetError(f"net {graph.name!r} takes no blob {sorted(unknown)[0]!r}")
    _overwrite_in_place(parts)
    parts.flow = backward_flow(parts.nodes, parts.layers, parts.weights)
    return parts


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


def _loss_weights(node: Node, layer: Layer) -> list[float]:
    """How much each top counts into the loss: as the prototxt says, else 1 for the first top of a loss."""
    given = list(node.message.loss_weight)
    if given and len(given) != len(node.tops):
        raise LayerError(f"has {len(given)} loss_weight for {len(node.tops)} top(s): give one for each top or none")
    return given or [float(layer.is_loss and top == 0) for top in range(len(node.tops))]


def _overwrite_in_place(parts: Parts) -> None:
    """Let an in-place layer overwrite its bottom where the bottom's maker does not need it."""
    maker: dict[str, Layer] = {}
    for node, layer in zip(parts.nodes, parts.layers, strict=True):
        if node.overwrites(0):
            layer.overwrite = maker[node.bottoms[0]].fresh_top
        maker.update(dict.fromkeys(node.tops, layer))


def unique_keys(nodes: Sequence[Node]) -> list[str]:
    """Module names: the layers' own, without dots (torch's separator), numbered where they repeat."""
    keys: list[str] = []
    for node in nodes:
        base = node.name.replace(".", "_")
        candidates = (base if number == 1 else f"{base}#{number}" for number in count(1))
        keys.append(next(key for key in candidates if key not in keys))
    return keys
