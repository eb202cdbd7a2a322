"""Which layers, bottoms and params need a backward: Caffe's own two walks over the net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...layers import Layer
from .graph import Node


@dataclass
class Flow:
    """What backward visits, one entry for each layer: itself, each of its bottoms, each of its params."""

    layers: list[bool]
    bottoms: list[list[bool]]
    params: list[list[bool]]

    def forced(self, layers: Sequence[Layer]) -> Flow:
        """The flow under `force_backward`: everything, save what a layer keeps out (a loss's labels)."""
        return Flow(
            [True] * len(self.layers),
            [
                [need or j not in layer.unforced for j, need in enumerate(needs)]
                for layer, needs in zip(layers, self.bottoms, strict=True)
            ],
            [[True] * len(needs) for needs in self.params],
        )


def backward_flow(nodes: Sequence[Node], layers: Sequence[Layer], weights: Sequence[Sequence[float]]) -> Flow:
    """Follow needs forward from the params that learn, then back from the tops that count into the loss."""
    flow = _needs(nodes, layers)
    under_loss: set[str] = set()
    skipped: set[str] = set()
    for i in reversed(range(len(nodes))):
        node = nodes[i]
        contributes = any(weights[i]) or any(top in under_loss for top in node.tops)
        if flow.layers[i] and all(top in skipped for top in node.tops):
            flow.layers[i] = False
            flow.bottoms[i] = [False] * len(node.bottoms)
        if contributes:
            under_loss.update(node.bottoms)
        else:
            flow.layers[i] = False
            flow.bottoms[i] = [False] * len(node.bottoms)
        skipped.update(blob for blob, need in zip(node.bottoms, flow.bottoms[i], strict=True) if not need)
    return flow


def _needs(nodes: Sequence[Node], layers: Sequence[Layer]) -> Flow:
    """A layer needs a backward if one of its params learns or one of its bottoms comes from a layer that needs it."""
    flow = Flow([], [], [])
    wanted: set[str] = set()
    for node, layer in zip(nodes, layers, strict=True):
        flags = node.message.propagate_down
        specs = node.message.param
        given = [blob in wanted for blob in node.bottoms]
        flow.bottoms.append(list(flags) if flags else given)
        # A param without a spec learns: lr_mult is 1 by default.
        learns = [i >= len(specs) or specs[i].lr_mult != 0 for i in range(len(layer.param_shapes))]
        flow.params.append(learns)
        flow.layers.append(any(given) or any(learns))
        if flow.layers[-1]:
            wanted.update(node.tops)
    return flow
