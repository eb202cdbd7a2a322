"""How far values may lie apart, and which may not at all."""

from __future__ import annotations

from ..prototxt.net import Net

FORWARD, BACKWARD, WHOLE = 1e-5, 1e-4, 1e-4
"""Allowed differences: one layer forward, one layer backward, a whole net either way."""


def limits(net: Net, isolate: bool, tolerance: float | None = None) -> tuple[float, float]:
    """What is allowed forward and backward."""
    if tolerance is not None:
        return tolerance, tolerance
    return (FORWARD, BACKWARD) if isolate or _is_one_layer(net) else (WHOLE, WHOLE)


def _is_one_layer(net: Net) -> bool:
    """Whether no layer computes on what another one computed, so that one layer's tolerance holds."""
    computed: set[str] = set()
    for node in net.nodes:
        if node.type == "Split":
            computed |= set(node.tops) if computed & set(node.bottoms) else set()
        elif node.bottoms:
            if computed & set(node.bottoms):
                return False
            computed |= set(node.tops)
    return True


def discrete_blobs(net: Net) -> set[str]:
    """The blobs that hold decisions, in the version that stays."""
    makers = {top: (step.layer, position) for step in net.steps for position, top in enumerate(step.node.tops)}
    return {top for top, (layer, position) in makers.items() if position in layer.discrete}
