"""A training trace that leaves the golden one because one ReLU or one maximum tipped: found by tipping it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...layers import PoolingLayer, PReLULayer, ReLULayer
from ...prototxt.net import Step
from ...prototxt.solving import Solver
from ..compare import BlobResult
from ..fixture import Fixture
from ..subject import Subject
from ..trace import TraceReport, compare_trace

_NEAR = 1e-5
"""How near, in parts of a blob's largest magnitude, a decision may be to tip by rounding: what one layer may differ."""
_MOST_OF_LAYER, _MOST = 4, 12
"""How many decisions of a layer in a forward, and of all, are tried."""


Found = tuple[Tensor, Tensor, Tensor]
"""Margins, flat places in the bottom, and what to add there."""
Finder = Callable[[Tensor], Found]


@dataclass(frozen=True)
class Tipped:
    """A decision that brings the trace to the golden one if it falls the other way; `str()` of it is one line."""

    step: int
    layer: str
    type: str
    blob: str
    at: int
    """Which forward of the layer it was."""
    index: tuple[int, ...]
    """Where in its bottom it is."""
    margin: float
    magnitude: float
    """The largest of the blob."""
    move: float
    """What to add there for it to fall the other way."""

    def __str__(self) -> str:
        near = "from 0" if self.type != "Pooling" else "below the maximum of its window"
        return (
            f"step {self.step}: {self.type} {self.layer!r}: the value of {self.blob!r} at {list(self.index)} is "
            f"{self.margin:.2g} {near}, {self.margin / self.magnitude:.2g} of the largest magnitude; with it the other "
            "way the trace agrees"
        )


def tipped(fixture: Fixture, subject: Subject, trained: TraceReport) -> Tipped | None:
    """The decision nearest to tipping with which, the other way, the whole trace is the golden's; None without one."""
    last = _last_step(trained)
    if last is None:
        return None
    near: list[Tipped] = []
    compare_trace(fixture, subject, prepare=lambda solver: _watch(solver, near))
    near = sorted((one for one in near if one.step <= last), key=lambda one: one.margin / one.magnitude)
    return next((one for one in near[:_MOST] if _agrees(fixture, subject, one)), None)


def _last_step(trained: TraceReport) -> int | None:
    """The step in which the trace has left the golden one; None where it has not, or not by values of the training."""
    first = next((result for result in trained.results if not result.ok), None)
    if first is None or first.problem != "values":
        return None
    _, kind, number = [*first.key.split("/"), ""][:3]
    steps = {"loss": number, "params": number, "param": str(len(trained.trace.single["loss"]))}
    return int(steps[kind]) if steps.get(kind, "").isdecimal() else None


def _agrees(fixture: Fixture, subject: Subject, decision: Tipped) -> bool:
    results: Sequence[BlobResult] = compare_trace(
        fixture, subject, prepare=lambda solver: _tip(solver, decision)
    ).results
    return all(result.ok for result in results)


def _hook(solver: Solver, step: Step, take: Callable[[Tensor, int, int], Tensor | None]) -> None:
    """Show a layer's first bottom in each forward, with its number and its step's; what is given replaces it."""
    each, calls = max(1, solver.param.iter_size), Counter[str]()

    def before(_: Any, bottoms: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        at = calls["forward"]
        calls["forward"] += 1
        other = take(bottoms[0], at, at // each)
        return None if other is None else (other, *bottoms[1:])

    step.layer.register_forward_pre_hook(before)


def _watch(solver: Solver, near: list[Tipped]) -> None:
    """Have the decisions that are near to tipping collected."""
    for step in solver.net.steps:
        if find := _finder(step):
            _hook(solver, step, partial(_collect, near, step, find))


def _collect(near: list[Tipped], step: Step, find: Finder, x: Tensor, at: int, number: int) -> None:
    near.extend(_near(step, find, x, at, number))


def _tip(solver: Solver, decision: Tipped) -> None:
    def moved(x: Tensor, at: int, _: int) -> Tensor | None:
        if at != decision.at or x.dim() != len(decision.index):
            return None
        move = torch.zeros_like(x)
        move[decision.index] = decision.move
        return x + move

    for step in solver.net.steps:
        if step.node.name == decision.layer:
            _hook(solver, step, moved)


def _finder(step: Step) -> Finder | None:
    layer = step.layer
    if isinstance(layer, ReLULayer | PReLULayer):
        return _signs
    if isinstance(layer, PoolingLayer) and layer.pool == "MAX":
        return partial(_maxima, layer)
    return None


@torch.no_grad()
def _near(step: Step, find: Finder, x: Tensor, at: int, number: int) -> Iterator[Tipped]:
    """The decisions of one forward that rounding may tip."""
    magnitude = float(x.abs().amax())
    margins, places, moves = find(x.detach())
    margins = torch.where(margins <= _NEAR * magnitude, margins, torch.inf)
    best = margins.topk(min(_MOST_OF_LAYER, len(margins)), largest=False)
    node = step.node
    for margin, i in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        if margin < torch.inf:
            index = tuple(int(k) for k in torch.unravel_index(places[i], x.shape))
            yield Tipped(number, node.name, node.type, node.bottoms[0], at, index, margin, magnitude, float(moves[i]))


def _signs(x: Tensor) -> Found:
    """Which side of zero a value is; a true zero is one on every machine."""
    flat = x.flatten()
    places = flat.nonzero()[:, 0]
    return flat[places].abs(), places, -2 * flat[places]


def _maxima(layer: PoolingLayer, x: Tensor) -> Found:
    """Which value of a window is its maximum: the second could be."""
    height, width = x.shape[2:]
    kernel = layer.kernel or (height, width)
    counts = layer.forward(x)[0].shape[2:]
    frame: list[int] = []
    for length, k, count, s, p in zip((height, width), kernel, counts, layer.stride, layer.pad, strict=True):
        frame = [p, (count - 1) * s + k - length - p, *frame]  # functional.pad counts from the last axis
    places = torch.arange(x.numel(), dtype=torch.float64).view(x.shape)
    cells, where = (
        functional.pad(values, frame, value=value)
        .unfold(2, kernel[0], layer.stride[0])
        .unfold(3, kernel[1], layer.stride[1])
        .flatten(4)
        for values, value in ((x.cpu(), -torch.inf), (places, -1.0))
    )
    if cells.shape[-1] < 2:
        return x.new_zeros(0), x.new_zeros(0, dtype=torch.long), x.new_zeros(0)
    (first, second), seconds = cells.topk(2, dim=4).values.unbind(4), cells.topk(2, dim=4).indices[..., 1:]
    # Windows of zeros are those that a ReLU has left: no diff comes through.
    clear = second.isfinite() & (first != 0)
    moves = torch.nextafter(first, torch.full_like(first, torch.inf)) - second
    return (first - second)[clear], where.gather(4, seconds)[..., 0][clear].long(), moves[clear]
