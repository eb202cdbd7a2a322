"""The walk over the layers: forward in order, backward by autograd, along Caffe's own flow of diffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from .graph import Node
from .step import NetError, Step


@dataclass
class Forward:
    """One forward: the blobs that it kept, its losses with their weights, and the diffs once it went backward."""

    steps: Sequence[Step] = ()
    values: dict[str, Tensor] = field(default_factory=dict)
    losses: list[tuple[str, Tensor, float]] = field(default_factory=list)
    diffs: dict[str, Tensor] = field(default_factory=dict)

    def backward(self, diffs: Mapping[str, Tensor]) -> None:
        """Go backward from the losses and from given blobs' diffs, as far as anything there needs one."""
        self._refuse_undifferentiable()
        heads = {name: (value, torch.full_like(value, weight)) for name, value, weight in self.losses}
        heads.update((name, (self.values[name], diff)) for name, diff in diffs.items())
        needed = [head for head in heads.values() if head[0].requires_grad]
        if needed:
            torch.autograd.backward([value for value, _ in needed], [diff for _, diff in needed])

    def _refuse_undifferentiable(self) -> None:
        for step in self.steps:
            for position, need in enumerate(step.needs.bottoms):
                if step.needs.backward and need and position in step.layer.undifferentiable:
                    raise NetError(
                        f"{step.node}: cannot give its bottom {position} ({step.node.bottoms[position]!r}) a diff: "
                        "say propagate_down: false for it, or freeze what learns above it (lr_mult: 0)"
                    )

    def diff(self, name: str) -> Tensor | None:
        """A kept blob's diff: a loss has its weight, zero is where backward did not come by."""
        if name in self.diffs or name not in self.values:
            return self.diffs.get(name)
        weight = next((weight for loss, _, weight in self.losses if loss == name), 0.0)
        return torch.full_like(self.values[name], weight)


class Walk:
    """A way through a net's steps; what a forward leaves is in the `Forward` that it gives, so many may run at once."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self._last_reader = {blob: i for i, step in enumerate(steps) for blob in step.node.bottoms}

    def forward(self, fed: Mapping[str, Tensor], kept: Set[str], record: bool) -> Forward:
        """Run every layer, dropping a blob after its last reader unless it is `kept`; `record` has diffs kept too."""
        done = Forward(self.steps)
        recorded: set[str] = set()
        for i, step in enumerate(self.steps):
            tops = self._tops(step, fed, done.values)
            if record:
                tops = tuple(self._record(done, recorded, step.node, *item) for item in enumerate(tops))
            self._add(done, i, tops, kept)
        return done

    @staticmethod
    def _tops(step: Step, fed: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """One layer's tops: handed in, or computed."""
        if not step.node.bottoms and all(top in fed for top in step.node.tops):
            return tuple(fed[top] for top in step.node.tops)
        return step.run([values[blob] for blob in step.node.bottoms])

    def _add(self, done: Forward, i: int, tops: Sequence[Tensor], kept: Set[str]) -> None:
        """Take over a step's tops, and forget what nobody reads after it."""
        step = self.steps[i]
        done.values.update(zip(step.node.tops, tops, strict=True))
        for name, top, weight in zip(step.node.tops, tops, step.loss_weights, strict=True):
            if weight:
                done.losses.append((name, top, weight))
        self._drop(done, {*step.node.bottoms, *step.node.tops} - kept, i)

    def _drop(self, done: Forward, blobs: Set[str], i: int) -> None:
        """Forget those of these blobs that nobody reads after step `i`."""
        for blob in blobs:
            if self._last_reader.get(blob, i) <= i:
                del done.values[blob]

    def _record(self, done: Forward, recorded: set[str], node: Node, position: int, top: Tensor) -> Tensor:
        """Have a top's diff kept: of an in-place chain the first version's, which Caffe's backward writes last."""
        name = node.tops[position]
        if node.overwrites(position) and name in recorded:
            return top
        if not top.requires_grad:
            if not self._wants_diff(name):
                return top
            top = top.detach().requires_grad_()
        recorded.add(name)
        top.register_hook(partial(done.diffs.__setitem__, name))
        return top

    def _wants_diff(self, name: str) -> bool:
        """Whether a blob's reader passes a diff down to it, though nothing before it learns."""
        if name not in self._last_reader:
            return False
        reader = self.steps[self._last_reader[name]]
        return reader.needs.bottoms[reader.node.bottoms.index(name)]
