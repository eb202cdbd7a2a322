"""A walk whose backward finds overwritten what in-place layers have overwritten, as Caffe's does.

Autograd keeps what each layer needs; Caffe keeps one memory for each blob, and its backward reads the last version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...layers import Layer, Overwritten
from .hazards import gradient_hazards
from .step import Step
from .walk import Memory, Walk


class OverwritingWalk(Walk):
    """A walk for `faithful_inplace`: gradients of old trainings, be they right or not."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(steps)
        self._hazards = {hazard.at: hazard for hazard in gradient_hazards(steps) if hazard.can_follow}
        self._watched = {hazard.blob for hazard in self._hazards.values()}
        for at in self._hazards:
            steps[at].layer.overwrite = False  # its backward computes with the true bottom as well

    def run(self, i: int, bottoms: Sequence[Tensor], memory: Memory) -> tuple[Tensor, ...]:
        """One layer; what it leaves in a blob that a backward reads is put into `memory`."""
        step = self.steps[i]
        if i in self._hazards and torch.is_grad_enabled():
            in_place, blob = step.node.overwrites(0), step.node.tops[0]
            tops = step.run(bottoms, lambda x: (_from_memory(x, step.layer, memory, blob, in_place),))
        else:
            tops = super().run(i, bottoms, memory)
        memory |= {name: top.detach() for name, top in zip(step.node.tops, tops, strict=True) if name in self._watched}
        return tops


class _FromMemory(torch.autograd.Function):
    """A layer whose backward reads the memory as it is then."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Layer, memory: Mapping[str, Tensor], blob: str, in_place: bool) -> Tensor:
        ctx.save_for_backward(x)
        ctx.layer, ctx.memory, ctx.blob, ctx.in_place = layer, memory, blob, in_place
        top: Tensor = layer(x)[0]
        return top.clone() if top._is_view() else top

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        (x,), (diff,) = ctx.saved_tensors, diffs
        left = ctx.memory[ctx.blob]
        bottom = left.reshape(x.shape) if ctx.in_place else x
        data = Overwritten(x, bottom, left.reshape(diff.shape), ctx.in_place)
        bottom_diff: Tensor = ctx.layer.caffe_backward(diff, data)
        return bottom_diff.reshape(x.shape), None, None, None, None


_from_memory: Callable[..., Tensor] = _FromMemory.apply
