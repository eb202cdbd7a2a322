"""Caffe's training: a solver, its nets, its iterations, its tests and its snapshots."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..caffe_pb2 import SolverParameter
from ..export import params_of
from ..files import LayerParams
from ..net import Net
from ..text import Config, is_text, read_solver
from .nonfinite import NonfiniteLossError, drawn, nonfinite_loss
from .policies import RateState, SolverError, check_policy, learning_rate, named
from .progress import Progress, Record, Score, SmoothedLoss, due
from .ranks import Ranks
from .requests import Request
from .resume import Resumable, ResumableNet, ranks_in, return_to_places
from .scoring import Feed, mean_outputs
from .snapshot import Snapshot, check_snapshots, name_after, places_beside, take_state, write_snapshot
from .solver_nets import SolverNets
from .updates import Updates, check_rule

_ALONE = Ranks()
_UNUSED = ("debug_info", "snapshot_diff", "eval_type")


class Solver:
    """Trains a net as Caffe does: `solver.solve()`, or `solver.step(100)` as often as you like.

    What Caffe prints, `tell` is told: `Progress` every `display` iterations, a `Score` for each net tested, a
    `Snapshot` for each one written. Paths lead from `folder` on: where you run, as in Caffe. A net with Input layers is
    handed its blobs by `feed`, test nets by `test_feeds`.

    `solver.net` has the params; load others into it at any time. Between iterations `requests` is asked whether to take
    a snapshot or to stop (see SignalRequests). Put what else moves on, such as your own source of data, into
    `resumables`, and snapshots keep its place.

    Caffe's generator is seeded with random_seed, NumPy's, which draws anchors and RoIs, with the config's RNG_SEED;
    without a random_seed both are. Under `torchrun` each process has one of the `ranks` (see joined), and the solver
    works as Caffe on many GPUs. With `faithful_inplace` gradients are Caffe's where in-place layers overwrite, too.

    Differs from Caffe: a loss that is NaN or infinite ends the training, unless `allow_nonfinite`. Snapshots hold no
    diffs.
    """

    def __init__(
        self,
        solver: SolverParameter,
        *,
        feed: Feed | None = None,
        test_feeds: Sequence[Feed] = (),
        tell: Callable[[Record], None] = lambda record: None,
        config: Config | None = None,
        folder: str | os.PathLike[str] = ".",
        device: str | torch.device = "cpu",
        ranks: Ranks = _ALONE,
        allow_nonfinite: bool = False,
        faithful_inplace: bool = False,
        name: str = "the solver",
    ) -> None:
        """Build the nets; params have their fillers' values, or those of the files in `weights`."""
        self.name, self.param, self.feed, self.test_feeds, self.tell = name, solver, feed, test_feeds, tell
        self.folder, self.ranks, self.allow_nonfinite = Path(folder), ranks, allow_nonfinite
        self.precision: AbstractContextManager[object] = nullcontext()
        """Entered for each forward of the train net, such as torch.autocast."""
        self.requests: Callable[[], Request] = lambda: Request.NONE
        self.saved: Callable[[Net], Sequence[LayerParams]] = params_of
        """The layers that a snapshot holds of the train net, as it is to have them."""
        self.stopped = False
        """Whether a request ended the last `step`, `solve` or `test`."""
        self.last = Progress(-1, 0.0, 0.0, 0.0, {})
        """The last iteration; before the first one number -1."""
        self.standing, self._resumed, self._held = RateState(), False, Request.NONE
        with named(self.name):
            check_policy(solver)
            check_rule(solver)
            self.smoothed = SmoothedLoss(solver.average_loss)
            self.nets = SolverNets(solver, self.folder, config, torch.device(device), ranks, faithful_inplace)
            if test_feeds and len(test_feeds) != len(self.nets.tests):
                raise SolverError(f"has {len(self.nets.tests)} test nets, and {len(test_feeds)} test_feeds for them")
        self.net, self.test_nets = self.nets.train, self.nets.tests
        self.notes = [f"{field} does nothing here" for field in _UNUSED if solver.HasField(field)] + self.nets.notes
        self.updates = Updates(solver, self.net.param_list, torch.device(device))
        self.resumables: dict[str, Resumable] = {"solver": self.smoothed, "train": ResumableNet(self.net)}
        self.resumables |= {f"test {i}": ResumableNet(net) for i, net in enumerate(self.test_nets) if not ranks.rank}

    @classmethod
    def from_prototxt(cls, source: str | os.PathLike[str], **settings: Any) -> Solver:
        """A solver from a prototxt of any age, its path or text; `settings` are the constructor's keywords."""
        solver = read_solver(source)
        if is_text(source):
            return cls(solver, **settings)
        name_after(solver, Path(source), Path(settings.get("folder", ".")))
        return cls(solver, **{"name": str(Path(source)), **settings})

    @property
    def iter(self) -> int:
        """How many iterations are done."""
        return self.standing.iter

    # --- training

    def solve(self) -> bool:
        """Train up to max_iter, with a snapshot at the end; whether it got there, or was asked to stop."""
        param = self.param
        with named(self.name):
            if param.max_iter <= 0:
                raise SolverError("has no max_iter, so it is unknown when to stop: set it, or use step()")
            if param.snapshot or param.snapshot_after_train:
                check_snapshots(param, self.folder, self.net)
        self.step(param.max_iter - self.iter)
        if param.snapshot_after_train and not due(param.snapshot, self.iter):
            self.snapshot()
        if self.stopped:
            return False
        if due(param.display, self.iter):
            self._look_at_loss()
        if due(param.test_interval, self.iter):
            self.test()
        return not self.stopped

    def step(self, count: int) -> None:
        """Train for `count` iterations; the smoothed loss begins anew, unless `restore` brought it along."""
        self.stopped = False
        if not self._resumed:
            self.smoothed.clear()
        self._resumed = False
        self.nets.take_params()
        param, end = self.param, self.iter + count
        while self.iter < end:
            if due(param.test_interval, self.iter) and (self.iter or param.test_initialization):
                self.test()
                if self.stopped:
                    return
            self._iterate()
            request, self._held = self.ranks.agreed(self._held, self.requests()), Request.NONE
            if due(param.snapshot, self.iter) or request is Request.SNAPSHOT:
                self.snapshot()
            if request is Request.STOP:
                self.stopped = True
                return

    def _iterate(self) -> None:
        """Forward and backward iter_size times, then one update."""
        standing, size = self.standing, self.param.iter_size
        for param in self.nets.params:
            param.grad = None
        loss = 0.0
        for turn in range(size):
            value, outputs = self._forward(standing.iter * size + turn, turn == size - 1)
            self.net.backward()
            loss += value / size
        loss = self.ranks.mean(loss)
        self.smoothed.add(loss)
        with named(self.name):
            rate = learning_rate(self.param, standing, self.smoothed.value)
        self.updates.apply(self.nets.params, rate, standing.iter)
        self.last = Progress(standing.iter, rate, loss, self.smoothed.value, outputs)
        if due(self.param.display, standing.iter):
            self._tell(self.last)
        standing.iter += 1

    def _forward(self, number: int, last: bool) -> tuple[float, dict[str, Tensor]]:
        """One forward: the loss, and the outputs."""
        before = drawn(self.net)
        with self.precision:
            outputs = self.nets.forward(number, self.feed, last)
            loss = self.net.loss.item()
            if not self.allow_nonfinite and not isfinite(loss):
                fault = nonfinite_loss(loss, self.net, self.nets.sources, before)
                raise NonfiniteLossError(f"{self.name}: iteration {self.iter}: {fault}")
        return loss, {name: output.detach() for name, output in outputs.items()}

    @torch.no_grad()
    def _look_at_loss(self) -> None:
        """One forward more, to tell the loss after the last update."""
        loss, outputs = self._forward(self.iter * self.param.iter_size, True)
        loss = self.ranks.mean(loss)
        self.smoothed.add(loss)
        self._tell(Progress(self.iter, 0.0, loss, self.smoothed.value, outputs))

    def test(self) -> list[Score]:
        """Test each test net; where a request stops it, the rest of the scores is missing and `stopped` is set."""
        self.nets.take_params()
        scores: list[Score] = []
        for index, net in enumerate(self.test_nets if not self.ranks.rank else ()):
            feed = self.test_feeds[index] if self.test_feeds else None
            with named(f"{self.name}: test net {index}"):
                found = mean_outputs(net, self.param.test_iter[index], feed, self._goes_on)
            if found is None:
                break
            loss, means = found
            scores.append(Score(self.iter, index, loss if self.param.test_compute_loss else None, means))
            self._tell(scores[-1])
        self.stopped = self.ranks.agreed(Request.STOP if self.stopped else Request.NONE) is Request.STOP
        return scores

    def _goes_on(self) -> bool:
        """Take the requests that came in during a test; whether none was to stop."""
        while (request := self.requests()) is not Request.NONE:
            if request is Request.SNAPSHOT and self.ranks.count > 1:
                self._held = request  # until all ranks are here
            elif request is Request.SNAPSHOT:
                self.snapshot()
            self.stopped |= request is Request.STOP
        return not self.stopped

    # --- snapshots

    def snapshot(self) -> Snapshot:
        """Write a snapshot of now; files of the same names are replaced."""
        with named(self.name):
            check_snapshots(self.param, self.folder, self.net)
        layers, places = self.saved(self.net), self.ranks.gathered(self.resumables)
        done = self.ranks.once(
            lambda: write_snapshot(self.param, self.folder, self.net, layers, self.standing, self.updates, places)
        )
        self._tell(done)
        return done

    def restore(self, state: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None) -> list[str]:
        """Go on from a .solverstate of either format, Caffe's or ours; gives what could not be taken up exactly.

        Its weights are found by its own word, unless given.
        """
        self.standing = take_state(state, weights, self.net, self.updates)
        self.nets.take_params()
        places = places_beside(Path(state))
        if not places.exists():
            return [f"{places} is missing: random numbers and data begin anew, as in Caffe"]
        unknown = return_to_places(places, self.resumables, self.ranks.rank)
        self._resumed = True
        notes = [f"{places}: tells nothing of {name!r}, which begins anew" for name in unknown]
        if (count := ranks_in(places)) != self.ranks.count:
            self.nets.begin_draws()
            notes.append(f"{places}: is of {count} rank(s), and here are {self.ranks.count}: random numbers begin anew")
        return notes

    def _tell(self, record: Record) -> None:
        if not self.ranks.rank:
            self.tell(record)
