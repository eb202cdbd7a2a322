"""What a forward draws from and changes besides blobs, so that it can be run once more from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..layers import State, random_state, set_random_state
from ..prototxt.net import Net


@dataclass(frozen=True)
class RunState:
    """Both generators, and running statistics by layer and index."""

    rng: State
    generator: Tensor
    statistics: Mapping[tuple[int, int], Tensor]

    @classmethod
    def of(cls, net: Net, layers: Sequence[int]) -> RunState:
        """As it is now."""
        kept = [(i, k) for i in layers if net.steps[i].layer.statistics for k in range(len(net.steps[i].layer.params))]
        statistics = {(i, k): net.steps[i].layer.params[k].detach().clone() for i, k in kept}
        return cls(random_state(net.rng), net.generator.get_state(), statistics)

    @torch.no_grad()
    def restore(self, net: Net) -> None:
        """As it was then."""
        set_random_state(net.rng, self.rng)
        net.generator.set_state(self.generator)
        for (i, k), value in self.statistics.items():
            net.steps[i].layer.params[k].copy_(value)
