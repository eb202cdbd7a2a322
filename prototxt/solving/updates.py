"""What Caffe's solvers do with the diffs of one iteration: from diffs to updates, in Caffe's order of operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..caffe_pb2 import SolverParameter
from ..net import Param
from .policies import SolverError, unknown

Blobs = list[Tensor]
Rule = Callable[[SolverParameter, Blobs, tuple[Blobs, ...], float, int], Blobs]
"""Solver, diffs, histories, rate, iteration -> updates. It may overwrite the diffs."""


@dataclass
class Group:
    """The params of one lr_mult and decay_mult, which are updated together, with their histories."""

    lr_mult: float
    decay_mult: float
    indices: list[int]
    histories: tuple[Blobs, ...]


class Updates:
    """The histories of a net's params, and the steps from diffs to new values.

    The order is Caffe's: the diffs, summed over iter_size forwards, are clipped all together (1), divided by iter_size
    (2), get the weight decay (3), and become updates by the solver's rule (4), which are taken from the params (5).
    The rate is inside the histories, so what momentum carries keeps the rate of its own time.
    """

    def __init__(self, solver: SolverParameter, params: Sequence[Param], device: torch.device) -> None:
        self.solver = solver
        self.rule, count = RULES[solver.type]
        self.histories = [torch.zeros(param.shape, device=device) for _ in range(count) for param in params]
        """As Caffe saves them: one for each param, then, where there are two, the second ones."""
        grouped: dict[tuple[float, float], list[int]] = defaultdict(list)
        for i, param in enumerate(params):
            grouped[param.lr_mult, param.decay_mult].append(i)
        self.groups = [
            Group(lr, decay, at, tuple([self.histories[k * len(params) + i] for i in at] for k in range(count)))
            for (lr, decay), at in grouped.items()
        ]

    @torch.no_grad()
    def apply(self, params: Sequence[Tensor], rate: float, iteration: int) -> None:
        """Change the params by their diffs, which serve as scratch memory; a param without one has a diff of zero."""
        diffs = [torch.zeros_like(param) if param.grad is None else param.grad for param in params]
        self._clip(diffs)
        for group in self.groups:
            values, mine = [params[i] for i in group.indices], [diffs[i] for i in group.indices]
            if self.solver.iter_size != 1:
                torch._foreach_mul_(mine, single(1 / self.solver.iter_size))
            self._decay(values, mine, single(self.solver.weight_decay * group.decay_mult))
            local_rate = single(rate * group.lr_mult)
            torch._foreach_sub_(values, self.rule(self.solver, mine, group.histories, local_rate, iteration))

    def _clip(self, diffs: Blobs) -> None:
        """Scale all diffs down to the norm clip_gradients, if theirs is larger."""
        most = self.solver.clip_gradients
        if most < 0 or not diffs:
            return
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(diffs))).item()
        if norm > most:
            torch._foreach_mul_(diffs, single(most / norm))

    def _decay(self, values: Blobs, diffs: Blobs, decay: float) -> None:
        if decay:
            by = values if self.solver.regularization_type == "L2" else torch._foreach_sign(values)
            torch._foreach_add_(diffs, by, alpha=decay)


def single(value: float) -> float:
    """A number rounded to float32, as Caffe computes with it."""
    return float(np.float32(value))


def check_rule(solver: SolverParameter) -> None:
    """Refuse an unknown type or regularization_type, and settings that the type cannot have."""
    if solver.type not in RULES:
        raise SolverError(unknown("type", solver.type, RULES))
    if solver.regularization_type not in ("L1", "L2"):
        raise SolverError(unknown("regularization_type", solver.regularization_type, ("L1", "L2")))
    if solver.iter_size < 1:
        raise SolverError(f"has the iter_size {solver.iter_size}: it must be 1 or more")
    if solver.type in ("AdaGrad", "RMSProp") and solver.momentum:
        raise SolverError(f"has the momentum {solver.momentum:g}, which the type {solver.type!r} cannot use: say 0")
    fractions = {"RMSProp": ("rms_decay",), "Adam": ("momentum", "momentum2")}
    for field in fractions.get(solver.type, ()):
        if not 0 <= getattr(solver, field) < 1:
            raise SolverError(f"has the {field} {getattr(solver, field):g}: it must be 0 or more and less than 1")


def _gather(history: Blobs, blobs: Blobs, keep: float, rate: float) -> None:
    """Make it keep * history + rate * blobs."""
    torch._foreach_mul_(history, keep)
    torch._foreach_add_(history, blobs, alpha=rate)


def _sgd(solver: SolverParameter, diffs: Blobs, histories: tuple[Blobs, ...], rate: float, _: int) -> Blobs:
    _gather(histories[0], diffs, solver.momentum, rate)
    return histories[0]


def _nesterov(solver: SolverParameter, diffs: Blobs, histories: tuple[Blobs, ...], rate: float, _: int) -> Blobs:
    # A step back along the old history, then one and a bit along the new.
    updates = torch._foreach_mul(histories[0], -solver.momentum)
    _gather(histories[0], diffs, solver.momentum, rate)
    torch._foreach_add_(updates, histories[0], alpha=single(1 + solver.momentum))
    return list(updates)


def _adagrad(solver: SolverParameter, diffs: Blobs, histories: tuple[Blobs, ...], rate: float, _: int) -> Blobs:
    torch._foreach_add_(histories[0], torch._foreach_mul(diffs, diffs))
    return _over_root(diffs, histories[0], solver.delta, rate)


def _rmsprop(solver: SolverParameter, diffs: Blobs, histories: tuple[Blobs, ...], rate: float, _: int) -> Blobs:
    squares = list(torch._foreach_mul(diffs, diffs))
    _gather(histories[0], squares, solver.rms_decay, single(1 - solver.rms_decay))
    return _over_root(diffs, histories[0], solver.delta, rate)


def _adadelta(solver: SolverParameter, diffs: Blobs, histories: tuple[Blobs, ...], rate: float, _: int) -> Blobs:
    of_diffs, of_updates = histories
    keep, rest = solver.momentum, single(1 - solver.momentum)
    _gather(of_diffs, list(torch._foreach_mul(diffs, diffs)), keep, rest)
    factors = torch._foreach_add(of_updates, solver.delta)
    torch._foreach_div_(factors, torch._foreach_add(of_diffs, solver.delta))
    torch._foreach_sqrt_(factors)
    torch._foreach_mul_(diffs, factors)
    _gather(of_updates, list(torch._foreach_mul(diffs, diffs)), keep, rest)
    torch._foreach_mul_(diffs, rate)
    return diffs


def _adam(solver: SolverParameter, diffs: Blobs, histories: tuple[Blobs, ...], rate: float, iteration: int) -> Blobs:
    first, second = histories
    beta1, beta2, time = solver.momentum, solver.momentum2, iteration + 1
    _gather(first, diffs, beta1, single(1 - beta1))
    _gather(second, list(torch._foreach_mul(diffs, diffs)), beta2, single(1 - beta2))
    correction = single((1 - beta2**time) ** 0.5 / (1 - beta1**time))
    return _over_root(first, second, solver.delta, single(rate * correction))


def _over_root(blobs: Blobs, squares: Blobs, delta: float, rate: float) -> Blobs:
    """Rate * blobs / (sqrt(squares) + delta)."""
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, delta)
    updates = torch._foreach_div(blobs, roots)
    torch._foreach_mul_(updates, rate)
    return list(updates)


RULES: dict[str, tuple[Rule, int]] = {
    "SGD": (_sgd, 1),
    "Nesterov": (_nesterov, 1),
    "AdaGrad": (_adagrad, 1),
    "RMSProp": (_rmsprop, 1),
    "AdaDelta": (_adadelta, 2),
    "Adam": (_adam, 2),
}
"""Each type: its rule, and how many histories a param has."""
