"""Chains of plain layers, each run through torch.compile: one program instead of a layer after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass

import torch
from torch import Tensor

from .build import NetError, Parts
from .gradients import Flow
from .graph import Node
from .walk import Walk, compute


@dataclass(frozen=True)
class Chain:
    """Layers `start` to `end` - 1, what they take from before, what they leave for others, and their program."""

    start: int
    end: int
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    program: Callable[..., tuple[Tensor, ...]]


class ChainedWalk(Walk):
    """A walk that trains with chains of layers compiled, unless a blob within them is to be kept.

    torch makes a chain's program anew for every size of a picture, and after eight sizes runs further ones as they are.
    """

    def __init__(self, parts: Parts, flow: Flow) -> None:
        super().__init__(parts, flow)
        self.chains = [self._chain(*span) for span in _spans(parts)]
        self._starts = {chain.start: chain for chain in self.chains}
        self._within = {i for chain in self.chains for i in range(chain.start + 1, chain.end)}
        visible = {top for chain in self.chains for top in chain.tops}
        tops = {top for chain in self.chains for node in parts.nodes[chain.start : chain.end] for top in node.tops}
        self._hidden = tops - visible
        self._whole = True

    def forward(self, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> None:
        """Run every layer, chained or one by one."""
        self._whole = record or not torch.is_grad_enabled() or bool(self._hidden & kept)
        super().forward(fed, kept, record)

    def _step(self, i: int, node: Node, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> None:
        chain = None if self._whole else self._starts.get(i)
        if chain is None:
            if self._whole or i not in self._within:
                super()._step(i, node, fed, kept, record)
            return
        try:
            tops = chain.program(*(self.values[blob] for blob in chain.bottoms))
        except RuntimeError as error:
            last = self.parts.nodes[chain.end - 1]
            raise NetError(f"{node} to {last}, through torch.compile: {str(error).splitlines()[0]}") from error
        self.values.update(zip(chain.tops, tops, strict=True))
        self._drop({*chain.bottoms, *chain.tops} - kept, chain.end - 1)

    def _chain(self, start: int, end: int) -> Chain:
        parts, flow, nodes = self.parts, self.flow, self.parts.nodes[start:end]
        made: set[str] = set()
        bottoms: dict[str, None] = {}
        for node in nodes:
            bottoms.update(dict.fromkeys(blob for blob in node.bottoms if blob not in made))
            made.update(node.tops)
        read_later = {blob for node in parts.nodes[end:] for blob in node.bottoms}
        read = {blob for node in nodes for blob in node.bottoms if blob not in node.tops}
        tops = tuple(blob for blob in sorted(made) if blob in read_later or blob not in read)

        def program(*values: Tensor) -> tuple[Tensor, ...]:
            blobs = dict(zip(bottoms, values, strict=True))
            for i, node in enumerate(nodes, start):
                found = compute(parts.layers[i], flow, i, [blobs[blob] for blob in node.bottoms])
                blobs.update(zip(node.tops, found, strict=True))
            return tuple(blobs[top] for top in tops)

        # torch counts the programs that it made of one code, and this makes each chain's a code of its own.
        program.__code__ = program.__code__.replace(co_name=f"layers_{start}_to_{end}")
        return Chain(start, end, tuple(bottoms), tops, torch.compile(program))


def _spans(parts: Parts) -> Iterator[tuple[int, int]]:
    """Where chains of two layers or more start and end."""
    start = 0
    for i in range(len(parts.nodes) + 1):
        if i == len(parts.nodes) or not parts.layers[i].compiles or any(parts.weights[i]):  # none counts into the loss
            if i - start > 1:
                yield start, i
            start = i + 1
