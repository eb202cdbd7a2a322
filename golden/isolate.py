"""A fixture layer by layer: each gets the golden's own bottoms and top diffs, so what differs is its own doing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..layers import random_state, set_random_state
from ..prototxt.net import Forward, Net, located
from .fixture import Fixture

Blobs = Mapping[str, Tensor]
Words = npt.NDArray[Any]
"""NumPy's generator as a fixture has it: 624 words, position, has_gauss and gauss."""
StandIn = Callable[..., tuple[Tensor, ...]]
"""A layer, or what stands in for one: bottoms to tops."""


class VersionNames:
    """The blobs of each layer by names that tell versions apart: `version/B/K` is overwritten in place, B stays."""

    def __init__(self, net: Net) -> None:
        self._count = Counter(top for node in net.nodes for top in node.tops)
        seen: Counter[str] = Counter()
        self.reads: list[tuple[str, ...]] = []
        self.writes: list[tuple[str, ...]] = []
        for node in net.nodes:
            self.reads.append(tuple(self._name(blob, seen[blob] - 1) for blob in node.bottoms))
            self.writes.append(tuple(self._name(top, seen[top]) for top in node.tops))
            seen.update(node.tops)

    def first(self, blob: str) -> str:
        """A blob's first version."""
        return self._name(blob, 0)

    def _name(self, blob: str, number: int) -> str:
        return blob if number >= self._count[blob] - 1 else f"version/{blob}/{number}"


class Isolation:
    """A net whose layers are fed golden blobs in place of what the layers before them made.

    It is cut at every blob that `golden` has, by the names of VersionNames; between them layers take each other's tops.
    Where the golden has no diffs inside an in-place chain, backward takes the chain as one.
    """

    def __init__(self, net: Net, golden: Blobs, fed: Blobs, rng: Mapping[str, Words]) -> None:
        self.net, self.golden, self.fed, self.rng = net, golden, fed, rng
        self.names = VersionNames(net)
        self.words: dict[str, Words] = {}
        """The random generator before a layer that has a golden state of it, as the layers before it left it."""
        self.losses: dict[str, float] = {}
        """The tops whose weight in the loss nothing behind them has overwritten, as the net's own walk has it."""
        self._leaves: dict[str, Tensor] = {}
        self._made: dict[str, Tensor] = {}

    def run(self, layers: Iterable[int], stand_ins: Mapping[int, StandIn] = {}) -> dict[str, Tensor]:
        """What the layers at some positions make, or what stands in for them, by the names of versions."""
        made: dict[str, Tensor] = {}
        memory: dict[str, Tensor] = {}
        done = Forward()
        for i in layers:
            step = self.net.steps[i]
            step.layer.overwrite = False  # what it takes may be asked for again
            if step.node.name in self.rng:
                self.words[step.node.name] = rng_words(self.net.rng)
                set_rng_words(self.net.rng, self.rng[step.node.name])
            if not step.node.bottoms and all(top in self.fed for top in step.node.tops):
                tops = tuple(self.fed[top] for top in step.node.tops)
            elif i in stand_ins:
                with located(step.node):
                    tops = stand_ins[i](*self._bottoms(i, made))
            else:
                tops = self.net.run_step(i, self._bottoms(i, made), memory)
            if torch.is_grad_enabled():  # the first of an in-place chain may be asked for a diff
                tops = tuple(top if top.requires_grad else top.detach().requires_grad_() for top in tops)
            made.update(zip(self.names.writes[i], tops, strict=True))
            done.take(step, tops)
        self._made = made
        self.losses = {loss.name: loss.weight for loss in done.losses if loss.head is not None}
        return made

    def _bottoms(self, i: int, made: Blobs) -> list[Tensor]:
        return [self._leaf(name) if name in self.golden else made[name] for name in self.names.reads[i]]

    def _leaf(self, name: str) -> Tensor:
        """A golden blob; backward leaves in it the diff that its readers hand down."""
        if not torch.is_grad_enabled():
            return self.golden[name].clone()
        return self._leaves.setdefault(name, self.golden[name].clone().requires_grad_())

    def backward(self, seeds: Blobs, diffs: Blobs) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Go backward from golden diffs: `seeds` are those of the outputs' last versions, `diffs` of first versions.

        Gives our diffs, each led back through its blob's in-place chain; and the keys of those that say nothing of
        their layer, with the blob whose diff they depend on: the golden has none, and it is not zero.
        """
        found = {blob: self._through_chain(blob, seed) for blob, seed in seeds.items() if blob in self._made}
        inner = {blob: self._first(blob) for blob in diffs if blob in self._made and blob not in self.golden}
        for top in inner.values():
            top.retain_grad()  # no cut is there, and so no leaf
        known = {**found, **{blob: diff for blob, diff in diffs.items() if blob in self._made and blob not in inner}}
        heads = {blob: top for blob in known if (top := self._first(blob)).requires_grad}
        if heads:
            golden = [known[blob].reshape(top.shape) for blob, top in heads.items()]
            torch.autograd.backward(list(heads.values()), golden, retain_graph=True)
        grads = {blob: leaf.grad for blob, leaf in self._leaves.items() if leaf.grad is not None}
        handed = {blob: self._through_chain(blob, grad) for blob, grad in grads.items()}
        # What the golden lacks was zero or was not asked: zero where the diffs behind it come to zero.
        lacking = [blob for blob, diff in handed.items() if blob not in known and diff.any()]
        handed |= {blob: top.grad for blob, top in inner.items() if top.grad is not None}
        # A loss that is read has its readers' diff or its own weight, never both: were both there, it would show here.
        both = {blob: found[blob] + diff.reshape(found[blob].shape) for blob, diff in handed.items() if blob in found}
        return found | handed | both, self._dependent(lacking, known)

    def _first(self, blob: str) -> Tensor:
        return self._made[self.names.first(blob)]

    def _dependent(self, lacking: list[str], known: Blobs) -> dict[str, str]:
        """The keys of the diffs that these blobs' diffs are part of, each with the blob that it needs."""
        params = {
            f"param_diff/{layer}/{index}": param
            for layer, made in self.net.layers.items()
            for index, param in made.named_parameters()
            if param.requires_grad
        }
        leaves = {f"diff/{blob}": leaf for blob, leaf in self._leaves.items()}
        dependent: dict[str, str] = {}
        for blob in lacking:  # grows: what an unknown diff is part of is unknown as well
            for key in _reached(self._first(blob), params | leaves):
                dependent.setdefault(key, blob)
                if key in leaves:
                    name = key.removeprefix("diff/")
                    chain = set(map(id, self._chain(name)))
                    dependent = {k: blob for k, param in params.items() if id(param) in chain} | dependent
                    lacking += [name] if name not in known and name not in lacking else []
        return dependent

    def _chain(self, blob: str) -> list[Tensor]:
        """The params of the layers that overwrite a blob."""
        return [
            param
            for step in self.net.steps
            if blob in step.node.tops and step.node.overwrites(step.node.tops.index(blob))
            for param in step.layer.parameters()
        ]

    def _through_chain(self, blob: str, diff: Tensor) -> Tensor:
        """Lead the diff of a blob's last version back to its first, and leave the chain's param diffs in `.grad`."""
        targets = [param for param in self._chain(blob) if param.requires_grad]
        first, last = self._first(blob), self._made[blob]
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


def _reached(head: Tensor, targets: Blobs) -> list[str]:
    """The targets whose diffs depend on the head's."""
    if not head.requires_grad:
        return []
    ones, tensors = torch.ones_like(head), list(targets.values())
    diffs = torch.autograd.grad(head, tensors, ones, retain_graph=True, allow_unused=True)
    return [key for key, diff in zip(targets, diffs, strict=True) if diff is not None]


def isolation_of(net: Net, fixture: Fixture, chains: bool = False) -> Isolation:
    """A net cut at all that a fixture knows; or with `chains` kept whole, as backward needs them.

    The golden has no diffs inside in-place chains, nor between a blob and the splits that were added behind it.
    """
    names, fed = VersionNames(net), {name: torch.from_numpy(np.array(blob)) for name, blob in fixture.bottoms.items()}
    known = {
        name: fed[top]
        for node, writes in zip(net.nodes, names.writes, strict=True)
        for top, name in zip(node.tops, writes, strict=True)
        if not node.bottoms and top in fed
    }
    overwritten = {f"version/{blob}/{number}": value for (blob, number), value in fixture.versions.items()}
    known |= {name: torch.from_numpy(np.array(blob)) for name, blob in (fixture.tops | overwritten).items()}
    if chains:
        whole = {top for node in net.nodes if node.inserted for top in node.tops} - fixture.diffs.keys()
        ends = (fed.keys() | fixture.tops.keys()) - whole
        known = {name: blob for name, blob in known.items() if name in ends}
        return Isolation(net, known, fed, fixture.rng)
    for node, reads, writes in zip(net.nodes, names.reads, names.writes, strict=True):
        if node.type == "Split" and reads[0] in known:
            known |= {name: known[reads[0]] for name in writes if name not in known}
    return Isolation(net, known, fed, fixture.rng)


def rng_words(rng: np.random.RandomState) -> Words:
    """A generator's state as a fixture has it."""
    state = random_state(rng)
    return np.array([*state["keys"], *state["at"], state["gauss"]], np.float64)


def set_rng_words(rng: np.random.RandomState, words: Words) -> None:
    """Have a generator go on from there."""
    set_random_state(rng, {"keys": words[:-3].astype(np.uint32), "at": words[-3:-1], "gauss": words[-1]})
