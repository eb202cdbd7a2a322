"""Which layers, bottoms and params need a backward: Caffe's own two walks over the net."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .step import Needs, Step


def with_needs(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Follow needs forward from the params that learn, then back from the tops that count into the loss."""
    under_loss: set[str] = set()
    skipped: set[str] = set()
    done: list[Step] = []
    for step in reversed(list(_from_params(steps))):
        tops = step.node.tops
        contributes = any(step.loss_weights) or any(top in under_loss for top in tops)
        if not contributes or (step.needs.backward and all(top in skipped for top in tops)):
            step = step.without_backward()
        if contributes:
            under_loss.update(step.node.bottoms)
        skipped.update(blob for blob, need in zip(step.node.bottoms, step.needs.bottoms, strict=True) if not need)
        done.append(step)
    return tuple(reversed(done))


def _from_params(steps: Sequence[Step]) -> Iterator[Step]:
    """A layer needs a backward if one of its params learns or one of its bottoms comes from a layer that needs it."""
    wanted: set[str] = set()
    for step in steps:
        message = step.node.message
        given = tuple(blob in wanted for blob in step.node.bottoms)
        # A param without a spec learns: lr_mult is 1 by default.
        rates = [spec.lr_mult for spec in message.param]
        learns = tuple(i >= len(rates) or rates[i] != 0 for i in range(len(step.layer.param_shapes)))
        backward = any(given) or any(learns)
        yield replace(step, needs=Needs(backward, tuple(message.propagate_down) or given, learns))
        if backward:
            wanted.update(step.node.tops)
