"""Every layer's tops beside its reading, fed the same bottoms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...layers.reading import Array, batch_norm_after, read, rounded
from .itself import largest
from .trial import StepRun, Trial, as_array, params_of

LIMIT, EPSILON, TINY = 1e-5, 2.0**-24, 1e-37
OVERFLOWS = 1e15
"""Numbers whose squares are infinite in float32, on the way to tops that are not."""


def forward(trial: Trial) -> Iterator[str]:
    """What differs, layer by layer."""
    for run in trial.judged():
        if any(largest(bottom) > OVERFLOWS for bottom in run.bottoms):
            continue
        given = run.given(trial.case.phase, [as_array(b) for b in run.bottoms], params_of(run))
        want = read(given)
        # What float32's rounding of its bottoms and params alone could do: an ill-conditioned layer may differ by that.
        rng = np.random.default_rng(1)
        shaken = [
            read(
                run.given(
                    trial.case.phase, [_shaken(b, rng) for b in given.bottoms], [_shaken(p, rng) for p in given.params]
                )
            )
            for _ in range(2)
        ]
        for i, (top, reading) in enumerate(zip(run.tops, want, strict=True)):
            if found := _difference(as_array(top), reading, [s[i] for s in shaken]):
                yield f"{run.step.node}: top {i}: {found}"
    yield from _statistics(trial)


def _shaken(x: Array, rng: np.random.Generator) -> Array:
    whole = x == np.round(x)  # labels and the like are exact
    return np.where(whole, x, x * (1 + EPSILON * rng.choice([-1, 1], x.shape)))


def _difference(have: Array, reading: Array, shaken: list[Array]) -> str:
    if have.shape != reading.shape:
        return f"of shape {have.shape}, in the reading {reading.shape}"
    want = np.float64(rounded(reading))
    same = (have == want) | (np.isnan(have) & np.isnan(want))
    both = np.isfinite(have) & np.isfinite(want)
    largest = np.abs(want[both]).max(initial=0)
    with np.errstate(all="ignore"):
        moved = np.max([np.abs(np.float64(rounded(s)) - want) for s in shaken if s.shape == want.shape], axis=0)
        moved = np.where(np.isnan(moved), np.inf, moved)
        allowed = LIMIT * largest + 8 * moved + TINY
        bad = ~same & ~(np.abs(have - want) <= allowed) & ~np.isinf(moved)
    if not bad.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{int(bad.sum())} of {bad.size} numbers differ, at {at} {have[at]:.7g}, in the reading {want[at]:.7g}"


def _statistics(trial: Trial) -> Iterator[str]:
    """BatchNorm's params after a forward."""
    for run in trial.runs:
        if run.kind == "BatchNorm":
            yield from _statistics_of(trial, run)


def _statistics_of(trial: Trial, run: StepRun) -> Iterator[str]:
    layer = run.step.layer
    before = [param.detach().clone() for param in layer.params]
    want = batch_norm_after(run.given(trial.case.phase, [as_array(run.bottoms[0])], params_of(run)))
    layer(*run.bottoms)
    for i, (param, reading) in enumerate(zip(layer.params, want, strict=True)):
        near = LIMIT * largest(run.bottoms[0])  # a mean may cancel
        if found := _difference(as_array(param), reading, [reading + near]):
            yield f"{run.step.node}: param {i} afterwards: {found}"
        param.data.copy_(before[i])
