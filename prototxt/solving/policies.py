"""The learning rate of each iteration: Caffe's policies, and SSD's plateau."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ...nearest import nearest
from ..caffe_pb2 import SolverParameter
from ..errors import PrototxtError
from ..files import LARGEST


class SolverError(PrototxtError):
    """A solver cannot be made or run as asked."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Say which solver an error is about."""
    try:
        yield
    except SolverError as error:
        raise SolverError(f"{name}: {error}") from None


@dataclass
class RateState:
    """How far a solver has come, as far as its learning rate depends on it."""

    iter: int = 0
    current_step: int = 0
    """How often the rate has fallen; policies without steps leave it."""
    minimum_loss: float = LARGEST
    """plateau: the smallest smoothed loss so far."""
    iter_last_event: int = 0
    """plateau: when that was met, or the rate fell."""


Policy = Callable[[SolverParameter, RateState, float], float]


def learning_rate(solver: SolverParameter, standing: RateState, smoothed_loss: float) -> float:
    """The rate of the iteration that `standing` is at, a float32; moves its steps on, so it is asked once for each."""
    policy, _ = POLICIES[solver.lr_policy]
    with np.errstate(over="ignore"):
        return float(np.float32(solver.base_lr * policy(solver, standing, smoothed_loss)))


def check_policy(solver: SolverParameter) -> None:
    """Refuse an unknown policy, and one that lacks a field or has one which gives no rate."""
    if solver.lr_policy not in POLICIES:
        raise SolverError(unknown("lr_policy", solver.lr_policy, POLICIES))
    _, fields = POLICIES[solver.lr_policy]
    for field in ("base_lr", *fields):
        if not (solver.HasField(field) if field != "plateau_winsize" else solver.plateau_winsize):
            raise SolverError(f"has no {field}, which the lr_policy {solver.lr_policy!r} needs")
    if "stepsize" in fields and solver.stepsize <= 0:
        raise SolverError(f"has the stepsize {solver.stepsize}: it must be 1 or more")
    if "gamma" in fields and solver.gamma < 0:
        raise SolverError(f"has the gamma {solver.gamma:g}: it must not be negative")


def unknown(field: str, value: str, known: Iterable[str]) -> str:
    """Say that a field has no such value, what it has, and what was probably meant."""
    names = list(known)
    near = nearest(value, names, 0.5, fold=True)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"has the {field} {value!r}; {meant}there are {', '.join(names)}"


def _step(solver: SolverParameter, standing: RateState, _: float) -> float:
    standing.current_step = standing.iter // solver.stepsize
    return float(solver.gamma**standing.current_step)


def _multistep(solver: SolverParameter, standing: RateState, _: float) -> float:
    # At most one step an iteration, even where several values are passed already.
    coming = solver.stepvalue[standing.current_step :]
    standing.current_step += bool(coming) and standing.iter >= coming[0]
    return float(solver.gamma**standing.current_step)


def _inv(solver: SolverParameter, standing: RateState, _: float) -> float:
    return float((1 + np.float32(solver.gamma) * np.float32(standing.iter)) ** np.float32(-solver.power))


def _poly(solver: SolverParameter, standing: RateState, _: float) -> float:
    if standing.iter > solver.max_iter:
        raise SolverError(f"iteration {standing.iter}: the lr_policy 'poly' ends at max_iter {solver.max_iter}")
    return float((1 - np.float32(standing.iter) / np.float32(solver.max_iter)) ** np.float32(solver.power))


def _sigmoid(solver: SolverParameter, standing: RateState, _: float) -> float:
    return float(1 / (1 + np.exp(np.float32(-solver.gamma) * np.float32(standing.iter - solver.stepsize))))


def _plateau(solver: SolverParameter, standing: RateState, smoothed_loss: float) -> float:
    if smoothed_loss < standing.minimum_loss:
        standing.minimum_loss, standing.iter_last_event = smoothed_loss, standing.iter
    window = solver.plateau_winsize[standing.current_step :]
    if window and standing.iter >= standing.iter_last_event + window[0]:
        standing.current_step += 1
        standing.iter_last_event = standing.iter
    return float(solver.gamma**standing.current_step)


POLICIES: dict[str, tuple[Policy, tuple[str, ...]]] = {
    "fixed": (lambda solver, standing, loss: 1.0, ()),
    "step": (_step, ("gamma", "stepsize")),
    "exp": (lambda solver, standing, loss: float(solver.gamma**standing.iter), ("gamma",)),
    "inv": (_inv, ("gamma", "power")),
    "multistep": (_multistep, ("gamma",)),
    "poly": (_poly, ("power", "max_iter")),
    "sigmoid": (_sigmoid, ("gamma", "stepsize")),
    "plateau": (_plateau, ("gamma", "plateau_winsize")),
}
"""Each policy: the factor of base_lr, and the fields that it needs."""
