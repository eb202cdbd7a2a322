"""The walk over the layers: forward in order, backward by autograd, along Caffe's own flow of diffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import partial

import torch
from torch import Tensor

from ...layers import Layer
from .build import NetError, Parts, located
from .gradients import Flow
from .graph import Node


def run_layer(parts: Parts, flow: Flow, i: int, bottoms: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One layer's tops; diffs will flow through it where `flow` says so, and nowhere else."""
    with located(parts.nodes[i]):
        return compute(parts.layers[i], flow, i, bottoms)


def compute(layer: Layer, flow: Flow, i: int, bottoms: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The tops of layer `i`; under torch.autocast in float32, unless it takes half precision."""
    needed = torch.is_grad_enabled() and flow.layers[i]
    if needed:
        bottoms = [b if need else b.detach() for b, need in zip(bottoms, flow.bottoms[i], strict=True)]
    if layer.takes_half or not bottoms or not torch.is_autocast_enabled(bottoms[0].device.type):
        with torch.set_grad_enabled(needed):
            return _forward(layer, bottoms)
    with torch.set_grad_enabled(needed), torch.autocast(bottoms[0].device.type, enabled=False):
        return _forward(layer, [bottom.float() for bottom in bottoms])


def _forward(layer: Layer, bottoms: Sequence[Tensor]) -> tuple[Tensor, ...]:
    tops: tuple[Tensor, ...] = layer(*bottoms)
    return tops


class Walk:
    """One forward and its backward; what it kept stays until the next forward."""

    def __init__(self, parts: Parts, flow: Flow) -> None:
        self.parts = parts
        self.flow = flow
        self.values: dict[str, Tensor] = {}
        self.losses: list[tuple[str, Tensor, float]] = []
        self._diffs: dict[str, Tensor] = {}
        self._recorded: set[str] = set()
        self._last_reader = {blob: i for i, node in enumerate(parts.nodes) for blob in node.bottoms}

    def forward(self, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> None:
        """Run every layer, dropping a blob after its last reader unless it is `kept`; `record` has diffs kept too."""
        for state in (self.values, self._diffs, self.losses, self._recorded):
            state.clear()
        for i, node in enumerate(self.parts.nodes):
            self._step(i, node, fed, kept, record)

    def _step(self, i: int, node: Node, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> None:
        tops = self._tops(i, node, fed)
        if record:
            tops = tuple(self._record(node, position, top) for position, top in enumerate(tops))
        self.values.update(zip(node.tops, tops, strict=True))
        for name, top, weight in zip(node.tops, tops, self.parts.weights[i], strict=True):
            if weight:
                self.losses.append((name, top, weight))
        self._drop({*node.bottoms, *node.tops} - kept, i)

    def _drop(self, blobs: Set[str], i: int) -> None:
        """Forget those of these blobs that nobody reads after layer `i`."""
        for blob in blobs:
            if self._last_reader.get(blob, i) <= i:
                del self.values[blob]

    def _tops(self, i: int, node: Node, fed: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """One layer's tops: handed in, or computed."""
        if not node.bottoms and all(top in fed for top in node.tops):
            return tuple(fed[top] for top in node.tops)
        return run_layer(self.parts, self.flow, i, [self.values[blob] for blob in node.bottoms])

    def _record(self, node: Node, position: int, top: Tensor) -> Tensor:
        """Have a top's diff kept: of an in-place chain the first version's, which Caffe's backward writes last."""
        name = node.tops[position]
        if node.overwrites(position) and name in self._recorded:
            return top
        if not top.requires_grad:
            if not self._wants_diff(name):
                return top
            top = top.detach().requires_grad_()
        self._recorded.add(name)
        top.register_hook(partial(self._diffs.__setitem__, name))
        return top

    def _wants_diff(self, name: str) -> bool:
        """Whether a blob's reader passes a diff down to it, though nothing before it learns."""
        reader = self._last_reader.get(name)
        return reader is not None and self.flow.bottoms[reader][self.parts.nodes[reader].bottoms.index(name)]

    def backward(self, diffs: Mapping[str, Tensor]) -> None:
        """Go backward from the losses and from given blobs' diffs, as far as anything there needs one."""
        self._refuse_undifferentiable()
        heads = {name: (value, torch.full_like(value, weight)) for name, value, weight in self.losses}
        heads.update((name, (self.values[name], diff)) for name, diff in diffs.items())
        needed = [head for head in heads.values() if head[0].requires_grad]
        if needed:
            torch.autograd.backward([value for value, _ in needed], [diff for _, diff in needed])

    def _refuse_undifferentiable(self) -> None:
        for node, layer, runs, needs in zip(
            self.parts.nodes, self.parts.layers, self.flow.layers, self.flow.bottoms, strict=True
        ):
            for position, need in enumerate(needs):
                if runs and need and position in layer.undifferentiable:
                    raise NetError(
                        f"{node}: cannot give its bottom {position} ({node.bottoms[position]!r}) a diff: "
                        "say propagate_down: false for it, or freeze what learns above it (lr_mult: 0)"
                    )

    def diff(self, name: str) -> Tensor | None:
        """A kept blob's diff: a loss has its weight, zero is where backward did not come by."""
        if name in self._diffs or name not in self.values:
            return self._diffs.get(name)
        weight = next((weight for loss, _, weight in self.losses if loss == name), 0.0)
        return torch.full_like(self.values[name], weight)
