"""A fixture layer by layer: each gets the golden's own bottoms and top diffs, so what differs is its own doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..prototxt.net import Net
from .fixture import Array
from .result import Inner, RunResult


class Isolated:
    """Cuts the net at every blob whose golden value is known.

    A blob's last version is compared and then replaced by the golden one, a leaf. An in-place chain has no golden
    diffs inside, so it runs as one piece. Backward starts at every blob's first version with its golden diff (`diffs`;
    `seeds` are those of the outputs' last versions); what reaches the leaf of a blob, led back through the blob's
    in-place chain, is our diff for it. Layers draw from the golden state of the random generator, where `rng` has it.
    """

    def __init__(
        self,
        net: Net,
        golden: Mapping[str, Tensor],
        diffs: Mapping[str, Tensor],
        seeds: Mapping[str, Tensor],
        rng: Mapping[str, Array],
    ) -> None:
        self.net = net
        self.golden = golden
        self.diffs = diffs
        self.seeds = seeds
        self.rng = rng
        self.inner = Inner()
        self.first: dict[str, Tensor] = {}
        self.last: dict[str, Tensor] = {}
        self.leaves: dict[str, Tensor] = {}
        self.chains: dict[str, list[Tensor]] = {}

    def run(self, fed: Mapping[str, Tensor], backward: bool) -> RunResult:
        """Forward, and backward where the fixture has diffs."""
        outcome = RunResult(inner=self.inner)
        with torch.set_grad_enabled(backward):
            self._forward(fed)
        outcome.tops = {name: top.detach() for name, top in self.last.items()}
        if backward:
            self._backward(outcome)
        return outcome

    def _forward(self, fed: Mapping[str, Tensor]) -> None:
        values: dict[str, Tensor] = {}
        last_writer = {top: step for step in self.net.steps for top in step.node.tops}
        for step in self.net.steps:
            node = step.node
            if not node.bottoms and all(top in fed for top in node.tops):
                tops = tuple(fed[top] for top in node.tops)
            else:
                self._restore(node.name)
                tops = step.run([values[blob] for blob in node.bottoms])
            for position, (name, top) in enumerate(zip(node.tops, tops, strict=True)):
                if torch.is_grad_enabled() and not top.requires_grad:
                    top = top.detach().requires_grad_()  # as the first of an in-place chain it may be asked for a diff
                if node.overwrites(position):
                    number = sum(blob == name for blob, _ in self.inner.versions)
                    self.inner.versions[name, number] = values[name].detach()
                    self.chains.setdefault(name, []).extend(step.layer.parameters())
                else:
                    self.first[name] = top
                values[name] = self._cut(name, top) if last_writer[name] is step else top

    def _restore(self, layer: str) -> None:
        """Keep the state of the generator that the layers before left, and go on from the golden one."""
        if layer not in self.rng:
            return
        state: Any = self.net.rng.get_state(legacy=True)
        self.inner.rng[layer] = torch.tensor([*state[1].tolist(), *state[2:]], dtype=torch.float64)
        golden = self.rng[layer]
        position, has_gauss, gauss = golden[-3:].tolist()
        self.net.rng.set_state(("MT19937", golden[:-3].astype(np.uint32), int(position), int(has_gauss), gauss))

    def _cut(self, name: str, top: Tensor) -> Tensor:
        """Keep a blob's last version; its readers get the golden one."""
        self.last[name] = top
        if name not in self.golden:
            return top
        self.leaves[name] = self.golden[name].clone().requires_grad_(torch.is_grad_enabled())
        return self.leaves[name]

    def _backward(self, outcome: RunResult) -> None:
        for name, seed in self.seeds.items():
            outcome.diffs[name] = self._through_chain(name, seed)
        known = {**outcome.diffs, **self.diffs}
        heads = {name: top for name, top in self.first.items() if top.requires_grad and name in known}
        if heads:
            torch.autograd.backward(list(heads.values()), [known[n].reshape(t.shape) for n, t in heads.items()])
        for name, leaf in self.leaves.items():
            if leaf.grad is not None:
                outcome.diffs[name] = self._through_chain(name, leaf.grad)

    def _through_chain(self, name: str, diff: Tensor) -> Tensor:
        """Lead the diff of a blob's last version back to its first, and leave the chain's param diffs in `.grad`."""
        targets = [param for param in self.chains.get(name, []) if param.requires_grad]
        first, last = self.first[name], self.last[name]
        diff = diff.reshape(last.shape)
        if first.requires_grad and first is not last:
            targets.insert(0, first)
        if not targets or not last.requires_grad:
            return diff
        for target, grad in zip(targets, torch.autograd.grad(last, targets, diff, allow_unused=True), strict=True):
            if target is first and grad is not None:
                diff = grad
            elif grad is not None:
                target.grad = grad if target.grad is None else target.grad + grad
        return diff
