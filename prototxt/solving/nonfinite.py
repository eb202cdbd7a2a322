"""Where numbers stopped being numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from ...layers import State, random_state, set_random_state
from ..net import Net
from .policies import SolverError


class NonfiniteLossError(SolverError):
    """A loss was NaN or infinite; the params are those before that iteration."""


def drawn(net: Net) -> tuple[State, Tensor]:
    """Where a net's random numbers stand before a forward."""
    return random_state(net.rng), net.generator.get_state()


def nonfinite_loss(loss: float, net: Net, sources: Iterable[str], before: tuple[State, Tensor]) -> str:
    """Say of a loss that is NaN or infinite where that began; the net has kept the blobs that come in."""
    first = first_nonfinite(net, {name: net.blobs[name] for name in sources}, before)
    return (
        f"the loss is {loss}; the first that is not finite is {first or 'the loss'} "
        "(a lower base_lr or clip_gradients may help; allow_nonfinite goes on)"
    )


@torch.no_grad()
def first_nonfinite(net: Net, sources: Mapping[str, Tensor], before: tuple[State, Tensor]) -> str:
    """The first param or top with a NaN or an infinity, in the net's order; empty if there is none.

    The forward is run again: on the same blobs that come in, with the same random numbers.
    """
    set_random_state(net.rng, before[0])
    net.generator.set_state(before[1])
    values = dict(sources)
    for step in net.steps:
        node = step.node
        for index, param in enumerate(step.layer.params):
            if not param.isfinite().all():
                return f"param {index} of {node}"
        if node.bottoms:
            tops = step.run([values[bottom] for bottom in node.bottoms])
            values.update(zip(node.tops, tops, strict=True))
        for top in node.tops:
            if not values[top].isfinite().all():
                return f"blob {top!r}, a top of {node}"
    return ""
