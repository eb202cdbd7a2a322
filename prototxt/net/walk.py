"""The walk over the layers: forward in order, backward by autograd, along Caffe's own flow of diffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from .step import NetError, Step

Memory = dict[str, Tensor]
"""What the layers run so far left in some blobs, by name: the last version of each."""


@dataclass
class Loss:
    """A top that counts into the loss, and where its weight enters backward.

    Caffe keeps the weight in the top's diff. A layer that takes the top and goes backward writes that diff anew, so the
    weight is lost; one that computes in place on it reads the weight there as its own top's diff.
    """

    name: str
    value: Tensor
    weight: float
    head: Tensor | None

    @property
    def weighted(self) -> Tensor:
        """Its share of the net's loss, from which `backward` goes as Caffe's does."""
        if self.head is self.value:
            return self.weight * self.value.sum()
        share = self.weight * self.value.detach().sum()
        return share if self.head is None else share + self.weight * (self.head - self.head.detach()).sum()


@dataclass
class Forward:
    """One forward: the blobs that it kept, its losses, and the diffs once it went backward."""

    steps: Sequence[Step] = ()
    values: dict[str, Tensor] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    diffs: dict[str, Tensor] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict)
    """What backward reads, where it reads the last versions of blobs (see OverwritingWalk)."""

    def take(self, step: Step, tops: Sequence[Tensor]) -> None:
        """Add a step's tops, and follow the losses that it reads."""
        for loss in self.losses:
            position = next((i for i, blob in enumerate(step.node.bottoms) if blob == loss.name), None)
            if position is not None and loss.head is not None and step.passes_down(position):
                loss.head = tops[position] if step.node.overwrites(position) else None
        self.values.update(zip(step.node.tops, tops, strict=True))
        for name, top, weight in zip(step.node.tops, tops, step.loss_weights, strict=True):
            if weight:
                self.losses.append(Loss(name, top, weight, top))

    def backward(self, diffs: Mapping[str, Tensor]) -> None:
        """Go backward from the losses and from given blobs' diffs, as far as anything there needs one."""
        self._refuse_undifferentiable()
        heads = {
            loss.name: (loss.head, torch.full_like(loss.head, loss.weight))
            for loss in self.losses
            if loss.head is not None
        }
        heads.update((name, (self.values[name], diff)) for name, diff in diffs.items())
        needed = [head for head in heads.values() if head[0].requires_grad]
        if needed:
            torch.autograd.backward([value for value, _ in needed], [diff for _, diff in needed])

    def _refuse_undifferentiable(self) -> None:
        for step in self.steps:
            for position in range(len(step.node.bottoms)):
                if step.passes_down(position) and position in step.layer.undifferentiable:
                    raise NetError(
                        f"{step.node}: cannot give its bottom {position} ({step.node.bottoms[position]!r}) a diff: "
                        "say propagate_down: false for it, or freeze what learns above it (lr_mult: 0)"
                    )

    def diff(self, name: str) -> Tensor | None:
        """A kept blob's diff: a loss has its weight, zero is where backward did not come by."""
        if name in self.diffs or name not in self.values:
            return self.diffs.get(name)
        weights = (loss.weight for loss in self.losses if loss.name == name and loss.head is not None)
        return torch.full_like(self.values[name], next(weights, 0.0))


class _Use(NamedTuple):
    """Who writes a top's diff, and whether it is for the layers below."""

    reader: Step
    passes_down: bool


class Walk:
    """A way through a net's steps; what a forward leaves is in the `Forward` that it gives, so many may run at once."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self._last_reader = {blob: i for i, step in enumerate(steps) for blob in step.node.bottoms}
        self._uses = _uses(steps)

    def forward(self, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> Forward:
        """Run every layer, dropping a blob after its last reader unless it is `kept`; `record` has diffs kept too."""
        done = Forward(self.steps)
        for i in range(len(self.steps)):
            tops = self._tops(i, fed, done)
            if record:
                tops = tuple(self._record(done, i, position, top) for position, top in enumerate(tops))
            self._add(done, i, tops, kept)
        return done

    def _tops(self, i: int, fed: Mapping[str, Tensor], done: Forward) -> tuple[Tensor, ...]:
        """One layer's tops: handed in, or computed."""
        node = self.steps[i].node
        if not node.bottoms and all(top in fed for top in node.tops):
            return tuple(fed[top] for top in node.tops)
        return self.run(i, [done.values[blob] for blob in node.bottoms], done.memory)

    def run(self, i: int, bottoms: Sequence[Tensor], memory: Memory) -> tuple[Tensor, ...]:
        """One layer on bottoms from anywhere; `memory` goes from each layer of one forward to the next."""
        return self.steps[i].run(bottoms)

    def _add(self, done: Forward, i: int, tops: Sequence[Tensor], kept: Set[str]) -> None:
        """Take over a step's tops, and forget what nobody reads after it."""
        step = self.steps[i]
        done.take(step, tops)
        self._drop(done, {*step.node.bottoms, *step.node.tops} - kept, i)

    def _drop(self, done: Forward, blobs: Set[str], i: int) -> None:
        """Forget those of these blobs that nobody reads after step `i`."""
        for blob in blobs:
            if self._last_reader.get(blob, i) <= i:
                del done.values[blob]

    def _record(self, done: Forward, i: int, position: int, top: Tensor) -> Tensor:
        """Have a top's diff kept; of an in-place chain the earliest one that backward reaches, since it comes last."""
        use = self._uses.get((i, position))
        if use is not None and not (top.requires_grad and use.passes_down):
            # Nothing below wants the diff, or may have it: here it ends.
            top = top.detach().requires_grad_()
            if use.reader.layer.overwrite:
                top = top.clone()  # what autograd starts from must not be written to
        if not top.requires_grad:
            return top
        top.register_hook(partial(done.diffs.__setitem__, self.steps[i].node.tops[position]))
        return top


def _uses(steps: Sequence[Step]) -> dict[tuple[int, int], _Use]:
    """The tops, by step and position, that have a diff after backward."""
    found: dict[tuple[int, int], _Use] = {}
    made: dict[str, tuple[int, int]] = {}
    for i, step in enumerate(steps):
        for position, blob in enumerate(step.node.bottoms):
            if step.writes_diff(position):
                found[made[blob]] = _Use(step, step.passes_down(position))
        made |= {top: (i, position) for position, top in enumerate(step.node.tops)}
    return found
