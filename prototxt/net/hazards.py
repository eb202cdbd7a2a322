"""Where computing in place makes Caffe's numbers others than the layers' definitions: found by layer, without running.

In Caffe an in-place layer overwrites its blob, and the backward of the layers before it reads what is left there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...layers import Layer
from .graph import Node
from .step import Step

_OWN = frozenset({"bottom", "sign"})
"""What a layer reads of its top only where it computes in place."""


@dataclass(frozen=True)
class Hazard:
    """A layer whose gradient Caffe computes from overwritten data: where it is, its blob, and who writes over that."""

    at: int
    node: Node
    blob: str
    writers: tuple[Node, ...]
    can_follow: bool
    """Whether it knows what Caffe computes then."""

    def __str__(self) -> str:
        others = [writer for writer in self.writers if writer is not self.node]
        names = ", ".join(f"{writer.name!r} ({writer.type})" for writer in others)
        overwritten = f"{names} left in {self.blob!r}" if others else "it has overwritten"
        told = f"{'' if others else 'computes in place, and '}Caffe computes its gradient from what {overwritten}"
        way = "faithful_inplace=True computes Caffe's" if self.can_follow else "with faithful_inplace=True, too"
        return f"{self.node}: {told}; here it is the true one ({way})"


def gradient_hazards(steps: Sequence[Step]) -> list[Hazard]:
    """The layers that go backward and read what was overwritten."""
    chains: dict[str, list[int]] = {}
    found: list[Hazard] = []
    for i, step in enumerate(steps):
        for position, top in enumerate(step.node.tops):
            chains[top] = [*chains.get(top, []), i] if step.node.overwrites(position) else [i]
    for blob, chain in chains.items():
        for place, i in enumerate(chain):
            step = steps[i]
            if step.node.bottoms and step.writes_diff(0):
                writers = _writers(step, [steps[k] for k in chain[place + 1 :]], blob)
                can_follow = type(step.layer).caffe_backward is not Layer.caffe_backward
                found += [Hazard(i, step.node, blob, writers, can_follow)] if writers else []
    return sorted(found, key=lambda hazard: hazard.at)


def _writers(step: Step, followers: Sequence[Step], blob: str) -> tuple[Node, ...]:
    """The layers that write over what a layer's backward reads: itself, followers in place on its first top."""
    if blob != step.node.tops[0]:
        return ()
    reads, in_place = step.layer.backward_reads, step.node.overwrites(0)
    own = (step.node,) if in_place and "bottom" in reads else ()
    reads = reads - {"bottom"} if in_place else reads - _OWN
    return own + tuple(other.node for other in followers if reads - other.layer.leaves)


def inplace_hazards(steps: Sequence[Step], faithful: bool = False) -> list[str]:
    """One line for each layer that Caffe computes otherwise because it, or one behind it, computes in place.

    In a `faithful` net, gradients that are computed as Caffe does are left out.
    """
    lines = {h.at: str(h) for h in gradient_hazards(steps) if not (faithful and h.can_follow)}
    for i, step in enumerate(steps):
        if any(map(step.node.overwrites, range(len(step.node.tops)))) and not step.layer.in_place:
            lines[i] = (
                f"{step.node}: computes in place, where Caffe's reads what it has overwritten already and may give "
                "other numbers; here its top is as if it had a name of its own"
            )
    return [line for _, line in sorted(lines.items())]
