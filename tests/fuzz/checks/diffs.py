"""Every layer's diffs, of bottoms and params, beside differences of its reading in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from ...layers.reading import Array, read
from .slope import slope
from .trial import DECIDED, StepRun, Trial, as_array, is_settled, params_of

LIMIT, FLOOR, DOUBLE = 1e-4, 3e-6, 1e-5
LOOSE = {"ContrastiveLoss": 2e-2}
"""Caffe divides by the distance + 1e-4."""
NO_SLOPE = {"SoftmaxWithLoss", "SoftmaxWithLossOHEM", "InfogainLoss", "MultinomialLogisticLoss"}
"""Where the least likelihood holds the loss, Caffe's diff is not the slope."""


def diffs(trial: Trial) -> Iterator[str]:
    """What differs, layer by layer."""
    for number, run in enumerate(trial.judged()):
        if run.kind not in DECIDED | {"Silence"} and has_slopes(run):
            yield from _of_step(trial, run, np.random.default_rng(number))


def has_slopes(run: StepRun) -> bool:
    """Whether the diff is the slope there, and numbers are of a size that float32 can tell apart."""
    if any(not b.isfinite().all() or b.abs().max() > 1e4 for b in [*run.bottoms, *run.tops] if b.numel()):
        return False
    if run.kind == "ROIPooling":  # else Caffe's backward passes over cells that its forward took
        p = run.step.node.message.roi_pooling_param
        return {p.pooled_h, p.pooled_w} <= {1, 2, 4}
    return is_settled(run) and not (run.kind in NO_SLOPE and run.tops[0].max() > 20)


def _of_step(trial: Trial, run: StepRun, rng: np.random.Generator) -> Iterator[str]:
    places, weights = trial.slopes_at(run), list[Array]()
    found = _diffs_of(run, places, torch.float32, weights)
    bottoms = len(run.bottoms)
    values = [*map(as_array, run.bottoms), *params_of(run)]
    largest = max((float(top.abs().max()) for top in run.tops if top.numel()), default=0)
    gain = sum(float(np.abs(w).sum()) for w in weights) * max(1.0, largest)

    def total(moved: Sequence[Array]) -> float:
        tops = read(run.given(trial.case.phase, moved[:bottoms], moved[bottoms:]))
        return sum(float((w * top).sum()) for w, top in zip(weights, tops, strict=True) if w.any())

    for place, diff in found.items():
        for direction in directions(values[place], rng):
            want = slope(partial(_along, total, values, place, direction))
            if want is None:
                continue
            have, limit = float((diff * direction).sum()), LOOSE.get(run.kind, LIMIT)
            allowed = (
                limit * float(np.abs(diff * direction).sum()) + FLOOR * gain * np.abs(direction).max() + want.noise
            )
            question = Question(run, places, weights, place, direction, want.value, limit)
            if abs(have - want.value) > allowed and not question.right_in_double():
                what = f"bottom {place}" if place < bottoms else f"param {place - bottoms}"
                yield f"{run.step.node}: diff of {what}: {have:.7g} along a direction, by differences {want.value:.7g}"
                break


def _along(total: Callable[[Sequence[Array]], float], values: list[Array], place: int, way: Array, t: float) -> float:
    return total([x + t * way if i == place else x for i, x in enumerate(values)])


def directions(x: Array, rng: np.random.Generator) -> Iterator[Array]:
    """A direction through all numbers, and a few along one of them: a kink may hide the first."""
    if x.size:
        yield rng.choice([-1, 1], x.shape) * rng.uniform(0.5, 1, x.shape)
        for at in rng.choice(x.size, min(3, x.size), replace=False):
            single = np.zeros(x.size)
            single[at] = 1
            yield single.reshape(x.shape)


def _diffs_of(run: StepRun, places: list[int], dtype: torch.dtype, weights: list[Array]) -> dict[int, Array]:
    """The diffs by place (bottoms, then params) for given diffs of the tops; `weights` is filled where it is empty."""
    layer = run.step.layer
    asked = {i for i in places if i not in layer.undifferentiable}
    fed = [b.to(dtype).clone().requires_grad_(i in asked) for i, b in enumerate(run.bottoms)]
    tops = run.again(fed)
    if not weights:
        rng = np.random.default_rng(len(fed))
        weights += [np.asarray(rng.standard_normal(tuple(top.shape)) * top.requires_grad) for top in tops]
    params = [] if layer.statistics else layer.parameters(recurse=False)
    heads = [(top, torch.from_numpy(w).to(dtype)) for top, w in zip(tops, weights, strict=True) if top.requires_grad]
    wanted = {i: x for i, x in enumerate([*fed, *params]) if x.requires_grad}
    if not heads or not wanted:
        return {}
    starts = [top for top, _ in heads], list(wanted.values()), [w for _, w in heads]
    grads = torch.autograd.grad(*starts, allow_unused=True)
    shapes = [tuple(x.shape) for x in fed] + layer.param_shapes
    return {
        place: np.zeros(shapes[place]) if grad is None else as_array(grad).reshape(shapes[place])
        for place, grad in zip(wanted, grads, strict=True)
    }


@dataclass(frozen=True)
class Question:
    """Which diff is asked for, along which way, and what differences say."""

    run: StepRun
    places: list[int]
    weights: list[Array]
    place: int
    direction: Array
    want: float
    limit: float

    def right_in_double(self) -> bool:
        """Whether the same layer in float64 has the slope: then float32 rounded, near a true zero."""
        layer = self.run.step.layer
        layer.double()
        try:
            found = _diffs_of(self.run, self.places, torch.float64, self.weights)
        except RuntimeError:
            return False  # a kernel that knows float32 alone
        finally:
            layer.float()
        diff = found[self.place] * self.direction
        size = max(float(np.abs(diff).sum()), abs(self.want))
        return abs(float(diff.sum()) - self.want) <= max(self.limit / 10, DOUBLE) * size + 1e-9
