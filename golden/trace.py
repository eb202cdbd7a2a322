"""A solver's trace: our training beside Caffe's, step by step, and on from Caffe's own snapshots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..layers import random_state, set_random_state
from ..prototxt.net import ParamName
from ..prototxt.solving import Solver
from ..prototxt.text import read_solver
from .compare import BlobResult, compare_blob
from .errors import GoldenError
from .fixture import Fixture
from .subject import Subject, param_of

PLAIN, SAMPLED = 1e-5, 1e-3
"""Allowed differences after some steps; those of a net that draws its samples grow from step to step."""

Array = npt.NDArray[Any]
Watch = Callable[[BlobResult, Array, Array | None], None]
"""Is shown every result with Caffe's values and ours."""
_SINGLE = {"solver", "rng_seed", "outputs", "loss", "lr", "current_step", "resumed_loss"}
_NOT_RUN = ("net", "net_param", "train_net", "test_net", "test_net_param", "test_iter", "test_interval", "test_state")
"""Fields that name nets: the one to train is in the fixture, and nothing is told of tests."""


@dataclass
class Trace:
    """The keys behind `trace/`, sorted."""

    single: dict[str, Array] = field(default_factory=dict)
    bottoms: dict[int, dict[str, Array]] = field(default_factory=dict)
    """The minibatches, taken in turn, the same for all forwards of an iteration."""
    after: dict[int, dict[ParamName, Array]] = field(default_factory=dict)
    """Params after some of the steps, counted from 0."""
    last: dict[ParamName, Array] = field(default_factory=dict)
    """Params after the last."""
    resumed: dict[ParamName, Array] = field(default_factory=dict)
    """Params of another solver, which went on from the snapshot."""
    history: dict[int, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, fixture: Fixture) -> Trace:
        """Sort a fixture's keys; one that is none of a trace's is refused."""
        trace = cls()
        for key, value in fixture.trace.items():
            if not trace._takes(key, value):
                raise GoldenError(f"{fixture.path}: has the key 'trace/{key}', which no trace has")
        for key in ("solver", "outputs", "loss"):
            if key not in trace.single:
                raise GoldenError(f"{fixture.path}: lacks the key 'trace/{key}': no whole trace")
        return trace

    def _takes(self, key: str, value: Array) -> bool:
        kind, _, rest = key.partition("/")
        number, _, name = rest.partition("/")
        layer, _, index = rest.rpartition("/")
        if key in _SINGLE:
            self.single[key] = value
        elif kind == "history" and rest.isdecimal():
            self.history[int(rest)] = value
        elif kind == "bottom" and number.isdecimal():
            self.bottoms.setdefault(int(number), {})[name] = value
        elif kind == "params" and number.isdecimal() and index.isdecimal():
            self.after.setdefault(int(number), {})[name.rpartition("/")[0], int(index)] = value
        elif kind in ("param", "resumed") and index.isdecimal():
            {"param": self.last, "resumed": self.resumed}[kind][layer, int(index)] = value
        else:
            return False
        return True

    @property
    def tolerance(self) -> float:
        """What may differ, in parts of the largest magnitude."""
        return SAMPLED if "rng_seed" in self.single else PLAIN


@dataclass
class TraceReport:
    """The comparison of one trace."""

    fixture: Fixture
    trace: Trace
    subject: Subject
    results: list[BlobResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    watch: Watch | None = None
    prepare: Callable[[Solver], object] | None = None
    """Is shown the solver before its first step."""

    def run(self) -> None:
        """The steps from the fixture's params on, then some more from each of Caffe's snapshots beside it."""
        single = self.trace.single
        solver = self._solver()
        self.subject.fill(solver.net, self.fixture)
        if "rng_seed" in single:
            solver.net.rng.seed(int(single["rng_seed"]))
        if self.prepare is not None:
            self.prepare(solver)
        rates = self._step(solver, "loss", single["loss"])
        if "lr" in single:
            self._compare("lr", single["lr"][: len(rates)], np.array(rates))
        self._compare_params("param", self.trace.last, solver)
        histories = dict(enumerate(solver.updates.histories))
        for index, want in self.trace.history.items():
            self._compare(f"history/{index}", want, histories.get(index))
        if "current_step" in single:
            self._compare("current_step", single["current_step"], np.array(solver.standing.current_step), exact=True)
        self._go_on(solver, self.fixture.path.with_name(f"{self.fixture.path.stem}_iter_{len(rates)}.solverstate"))

    def _go_on(self, solver: Solver, state: Path) -> None:
        """From either kind of snapshot: beside Caffe's own steps from there, else beside our next one."""
        states = {
            name: file for name, file in (("resumed", state), ("resumed_h5", Path(f"{state}.h5"))) if file.exists()
        }
        if not states:
            self.notes.append(f"{state} is missing: going on from Caffe's own snapshot was not compared")
            return
        resumed = {name: self._solver() for name in states}
        for name, other in resumed.items():
            other.restore(states[name])
            for index, (want, have) in enumerate(zip(other.updates.histories, solver.updates.histories, strict=True)):
                self._compare(f"{name}_history/{index}", want.numpy(), have)
        if self.trace.resumed:
            for name, other in resumed.items():
                self._beside_caffe(other, name)
            return
        for other in resumed.values():
            set_random_state(other.net.rng, random_state(solver.net.rng))
            other.step(1)
        solver.step(1)
        wanted = {place: param_of(solver.net, *place) for place in self.trace.last}
        for name, other in resumed.items():
            self._compare_params(name, {place: w.numpy() for place, w in wanted.items() if w is not None}, other)

    def _beside_caffe(self, other: Solver, name: str) -> None:
        losses = self.trace.single["resumed_loss"]
        rates = self._step(other, f"{name}_loss", losses)
        if "lr" in self.trace.single:
            self._compare(f"{name}_lr", self.trace.single["lr"][-len(losses) :], np.array(rates))
        self._compare_params(name, self.trace.resumed, other)

    def _solver(self) -> Solver:
        """A new one, with the fixture's net and config."""
        fixture, bottoms = self.fixture, self.trace.bottoms
        param = read_solver(f"{self.trace.single['solver']}\n")
        for name in _NOT_RUN:
            param.ClearField(name)
        param.snapshot = 0
        param.train_net_param.CopyFrom(self.subject.prototxt(fixture).net)
        config = self.subject.config(fixture)

        solver = Solver(
            param,
            config=config,
            folder=fixture.path.parent,
            allow_nonfinite=True,
            faithful_inplace=self.subject.faithful_inplace,
            name="its solver",
        )
        # Input layers keep their blobs over the forwards of an iteration, a data layer gives others each time.
        each = param.iter_size if solver.net.inputs else 1
        if bottoms:
            solver.feed = lambda number: bottoms[number // each % len(bottoms)]
        return solver

    def _step(self, solver: Solver, key: str, losses: Array) -> list[float]:
        """One step for each row of losses, which are compared output by output; gives the learning rates."""
        rates = []
        outputs = [str(output) for output in self.trace.single["outputs"]]
        for step, row in enumerate(losses):
            solver.step(1)
            rates.append(solver.last.lr)
            for output, want in zip(outputs, row, strict=True):
                self._compare(f"{key}/{step}/{output}", np.array(want), _scalar(solver.last.outputs.get(output)))
            if key == "loss":
                self._compare_params(f"params/{step}", self.trace.after.get(step, {}), solver)
        return rates

    def _compare_params(self, key: str, wanted: Mapping[ParamName, Array], solver: Solver) -> None:
        for (layer, index), want in wanted.items():
            self._compare(f"{key}/{layer}/{index}", want, param_of(solver.net, layer, index))

    def _compare(self, key: str, want: Array, have: Array | Tensor | None, exact: bool = False) -> None:
        self.results.append(compare_blob(f"trace/{key}", want, have, self.trace.tolerance, exact=exact))
        if self.watch is not None:
            self.watch(self.results[-1], want, have.detach().cpu().numpy() if isinstance(have, Tensor) else have)


def compare_trace(
    fixture: Fixture,
    subject: Subject = Subject(),
    watch: Watch | None = None,
    prepare: Callable[[Solver], object] | None = None,
) -> TraceReport:
    """Train as the fixture's trace did."""
    report = TraceReport(fixture, Trace.of(fixture), subject, watch=watch, prepare=prepare)
    report.run()
    return report


def _scalar(output: Tensor | None) -> Array | Tensor | None:
    """An output of one number as a trace keeps it."""
    return np.array(output.item()) if output is not None and output.numel() == 1 else output
