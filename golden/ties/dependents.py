"""How much depends on a choice: the golden's values that the net does not give in its own order."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import torch

from ...layers import SilenceLayer
from ...prototxt.net import Net
from ..compare import compare_blob
from ..fixture import Fixture
from ..run_state import RunState


@torch.no_grad()
def count_dependents(net: Net, fixture: Fixture, before: RunState, behind: Set[str], allowed: float) -> int | None:
    """The values of these blobs that differ where a net runs as it would by itself; None where it cannot run again."""
    if not _runs_again(net, fixture):
        return None
    now, folding = RunState.of(net, range(len(net.steps))), net.folding
    net.folding = False
    before.restore(net)
    try:
        net(_fed(fixture), keep=behind & fixture.tops.keys())
        return sum(_different(fixture, net, blob, allowed) for blob in behind & fixture.tops.keys())
    finally:
        now.restore(net)
        net.folding = folding


def _fed(fixture: Fixture) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(value)) for name, value in fixture.bottoms.items()}


def _different(fixture: Fixture, net: Net, blob: str, allowed: float) -> int:
    result = compare_blob(blob, fixture.tops[blob], net.blobs[blob], allowed)
    return result.different or (0 if result.ok else fixture.tops[blob].size)


def _runs_again(net: Net, fixture: Fixture) -> bool:
    """Whether a second run begins where the first did: nothing is read on from a file, written, or kept."""
    steps = [step for step in net.steps if not (step.node.tops and set(step.node.tops) <= set(fixture.bottoms))]
    return all(not step.layer.place() and (step.node.tops or isinstance(step.layer, SilenceLayer)) for step in steps)
