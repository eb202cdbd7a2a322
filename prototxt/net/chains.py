"""Chains of plain layers, each run through torch.compile: one program instead of a layer after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import torch
from torch import Tensor

from .step import NetError, Step
from .walk import Forward, Walk


@dataclass(frozen=True)
class Chain:
    """Steps `start` to `end` - 1, what they take from before, what they leave for others, and their program."""

    start: int
    end: int
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    program: Callable[..., tuple[Tensor, ...]]


class ChainedWalk(Walk):
    """A walk that trains with chains of layers compiled, unless a blob within them is to be kept.

    torch makes a chain's program anew for every size of a picture, and after eight sizes runs further ones as they are.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(steps)
        self.chains = [self._chain(*span) for span in _spans(steps)]
        self._starts = {chain.start: chain for chain in self.chains}
        visible = {top for chain in self.chains for top in chain.tops}
        made = {top for chain in self.chains for step in steps[chain.start : chain.end] for top in step.node.tops}
        self._hidden = made - visible

    def forward(self, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> Forward:
        """Run every layer, chained or one by one."""
        if record or not torch.is_grad_enabled() or self._hidden & kept:
            return super().forward(fed, kept, record)
        done = Forward(self.steps)
        i = 0
        while i < len(self.steps):
            if chain := self._starts.get(i):
                self._run(chain, done, kept)
                i = chain.end
            else:
                self._add(done, i, self._tops(i, fed, done), kept)
                i += 1
        return done

    def _run(self, chain: Chain, done: Forward, kept: Set[str]) -> None:
        try:
            tops = chain.program(*(done.values[blob] for blob in chain.bottoms))
        except RuntimeError as error:
            first, last = (self.steps[i].node for i in (chain.start, chain.end - 1))
            raise NetError(f"{first} to {last}, through torch.compile: {str(error).splitlines()[0]}") from error
        done.values.update(zip(chain.tops, tops, strict=True))
        self._drop(done, {*chain.bottoms, *chain.tops} - kept, chain.end - 1)

    def _chain(self, start: int, end: int) -> Chain:
        steps = self.steps[start:end]
        made: set[str] = set()
        bottoms: dict[str, None] = {}
        for step in steps:
            bottoms.update(dict.fromkeys(blob for blob in step.node.bottoms if blob not in made))
            made.update(step.node.tops)
        read_later = {blob for step in self.steps[end:] for blob in step.node.bottoms}
        read = {blob for step in steps for blob in step.node.bottoms if blob not in step.node.tops}
        tops = tuple(blob for blob in sorted(made) if blob in read_later or blob not in read)

        def program(*values: Tensor) -> tuple[Tensor, ...]:
            blobs = dict(zip(bottoms, values, strict=True))
            for step in steps:
                found = step.compute([blobs[blob] for blob in step.node.bottoms])
                blobs.update(zip(step.node.tops, found, strict=True))
            return tuple(blobs[top] for top in tops)

        # torch counts the programs that it made of one code, and this makes each chain's a code of its own.
        program.__code__ = program.__code__.replace(co_name=f"layers_{start}_to_{end}")
        return Chain(start, end, tuple(bottoms), tops, torch.compile(program))


def _spans(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Where chains of two layers or more start and end."""
    start = 0
    for i in range(len(steps) + 1):
        if i == len(steps) or not steps[i].layer.compiles or any(steps[i].loss_weights):  # none counts into the loss
            if i - start > 1:
                yield start, i
            start = i + 1
