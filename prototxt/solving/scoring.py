"""A test net's outputs, averaged over many forwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ...layers import times
from ..net import Array, Net
from .policies import SolverError

Feed = Callable[[int], Mapping[str, Array]]
"""The blobs to hand in at a net's n-th forward."""


@torch.no_grad()
def mean_outputs(
    net: Net, count: int, feed: Feed | None, go_on: Callable[[], bool]
) -> tuple[float, dict[str, Tensor]] | None:
    """The mean loss and the mean of each output over `count` forwards; none where `go_on` ends them before one."""
    sums: dict[str, Tensor] = {}
    loss = 0.0
    for number in range(count):
        if not go_on():
            return None
        outputs = net(feed(number) if feed else {})
        loss += net.loss.item() if net.loss_weights else 0.0
        for name, output in outputs.items():
            if name not in sums:
                sums[name] = torch.zeros_like(output)
            if sums[name].shape != output.shape:
                shapes = f"{times(sums[name].shape)}, then {times(output.shape)}"
                raise SolverError(f"output {name!r} is {shapes}: there is no mean of these")
            sums[name] += output
    return loss / count, {name: total / count for name, total in sums.items()}
