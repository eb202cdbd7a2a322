"""A layer beside itself, its bottoms' numbers lying elsewhere in memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .itself import LIMIT, largest, same
from .trial import DECIDED, StepRun, Trial, is_settled

EPSILON = 2.0**-24
Numbers = dict[str, Tensor]
"""Tops and diffs of a layer, by what they are."""


def turned(x: Tensor) -> Tensor:
    """The axes the other way round in memory."""
    axes = list(reversed(range(x.dim())))
    return x.permute(axes).contiguous().permute(axes)


def innermost(x: Tensor) -> Tensor:
    """The channels innermost, as pictures are read."""
    return x.movedim(1, -1).contiguous().movedim(-1, 1) if x.dim() > 2 else x.clone()


def ambiguous(x: Tensor) -> Tensor:
    """Channels innermost, and for axes of length 1 a stride that fits no layout."""
    y = innermost(x)
    return y.as_strided(y.shape, [3 if length == 1 else s for length, s in zip(y.shape, y.stride(), strict=True)])


def spaced(x: Tensor) -> Tensor:
    """Every second number of a larger memory."""
    return torch.stack([x, x + 7], -1)[..., 0]


LAYOUTS = (turned, innermost, ambiguous, spaced)


def layouts(trial: Trial) -> Iterator[str]:
    """Tops and diffs that change with the layout."""
    for run in filter(is_settled, trial.judged()):
        want = _numbers(trial, run, run.bottoms)
        for layout in LAYOUTS:
            have = _numbers(trial, run, [layout(b) for b in run.bottoms])
            for name, reading in want.items():
                if not same(have[name], reading, LIMIT, run.bottoms) and not _rounds(trial, run, name, want, have):
                    yield f"{run.step.node}: {name} is another with its bottoms {layout.__name__} in memory"
                    return


def _rounds(trial: Trial, run: StepRun, name: str, want: Numbers, have: Numbers) -> bool:
    """Whether rounding of the bottoms alone could do as much: the layer is ill-conditioned there."""
    generator = torch.Generator().manual_seed(7)
    moved = torch.zeros_like(want[name])
    for _ in range(2):
        signs = [torch.randint(0, 2, b.shape, generator=generator) * 2 - 1 for b in run.bottoms]
        whole = [b == b.round() for b in run.bottoms]
        bottoms = [torch.where(w, b, b * (1 + EPSILON * s)) for w, b, s in zip(whole, run.bottoms, signs, strict=True)]
        moved = torch.maximum(moved, (_numbers(trial, run, bottoms)[name] - want[name]).abs())
    return bool(((have[name] - want[name]).abs() <= 16 * moved + LIMIT * largest(want[name])).all())


def _numbers(trial: Trial, run: StepRun, bottoms: list[Tensor]) -> Numbers:
    """Tops, and the diffs of bottoms and params for the same diffs of the tops."""
    layer = run.step.layer
    places = [] if run.kind in DECIDED else [i for i in trial.slopes_at(run) if i not in layer.undifferentiable]
    fed = [b.detach().requires_grad_(i in places) for i, b in enumerate(bottoms)]
    tops = run.again(fed)
    named = {f"top {i}": top.detach() for i, top in enumerate(tops)}
    params = [] if layer.statistics else [p for p in layer.parameters(recurse=False) if p.requires_grad]
    wanted = {f"the diff of bottom {i}": fed[i] for i in places}
    wanted |= {f"the diff of param {i}": param for i, param in enumerate(params)}
    heads = [top for top in tops if top.requires_grad]
    if heads and wanted:
        generator = torch.Generator().manual_seed(5)
        starts = [torch.randn(top.shape, generator=generator) for top in heads]
        found = torch.autograd.grad(heads, list(wanted.values()), starts, allow_unused=True)
        named |= {name: torch.zeros(1) if diff is None else diff for name, diff in zip(wanted, found, strict=True)}
    return named
