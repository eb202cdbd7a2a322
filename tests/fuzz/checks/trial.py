"""A case on trial: its net run step by step, outside of the walk that is to be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recaffe.prototxt.net import Net, Step

from ...layers.reading import READINGS, Array, Given, phase_of
from ..case import Case

DECIDED = {"Accuracy", "ArgMax", "BoxAnnotatorOHEM", "Threshold"}
"""Types without a backward."""


@dataclass(frozen=True)
class StepRun:
    """A step with the bottoms that it was given and the tops that it gave."""

    step: Step
    bottoms: list[Tensor]
    tops: list[Tensor]

    @property
    def kind(self) -> str:
        return self.step.node.type

    def given(self, phase: str, bottoms: Sequence[Array], params: Sequence[Array]) -> Given:
        """The same for a reading."""
        message = self.step.node.message
        return Given(message, phase_of(message, phase), list(bottoms), list(params), len(self.step.node.tops))

    def again(self, bottoms: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The tops of other bottoms; what a forward leaves behind is put back."""
        layer = self.step.layer
        getattr(layer, "reset", lambda: None)()
        kept = [param.detach().clone() for param in layer.params] if layer.statistics else []
        tops = layer(*bottoms)
        with torch.no_grad():
            for param, before in zip(layer.params, kept, strict=False):
                param.copy_(before)
        return tuple(tops)


class Trial:
    """A net of a case and its steps' runs."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.net = case.net()
        self.inputs = case.inputs()
        self.runs = list(self._walk(self.net))

    def _walk(self, net: Net) -> Iterator[StepRun]:
        values = dict(self.inputs)
        for step in net.steps:
            step.layer.overwrite = False
            if step.node.type == "Input":
                continue
            bottoms = [values[blob] for blob in step.node.bottoms]
            run = StepRun(step, bottoms, [])
            with torch.no_grad():
                tops = [top.clone() for top in run.again(bottoms)]
            values |= dict(zip(step.node.tops, tops, strict=True))
            yield StepRun(step, bottoms, tops)

    def judged(self) -> Iterator[StepRun]:
        """The steps that have a reading."""
        return (run for run in self.runs if run.kind in READINGS)

    def slopes_at(self, run: StepRun) -> list[int]:
        """The bottoms that get a diff: labels and other decisions have none."""
        feeds = self.case.feeds
        return [i for i, blob in enumerate(run.step.node.bottoms) if blob not in feeds or feeds[blob].kind == "normal"]

    def reset(self) -> None:
        for step in self.net.steps:
            getattr(step.layer, "reset", lambda: None)()


def is_settled(run: StepRun) -> bool:
    """Whether rounding and MVN's eps decide little.

    Two numbers become 1 and -1 whatever they are, and of equal ones rounding alone says how far they lie apart.
    """
    if run.kind != "MVN":
        return True
    x, across = run.bottoms[0], run.step.node.message.mvn_param.across_channels
    planes = x.reshape(*x.shape[: 1 if across else 2], -1)
    spread = (planes - planes.mean(-1, keepdim=True)).abs().amax(-1)
    return planes.shape[-1] > 2 and bool((spread > 0.03 * planes.abs().amax(-1)).all())


def as_array(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().numpy(), np.float64)


def params_of(run: StepRun) -> list[Array]:
    return [as_array(param) for param in run.step.layer.params]
