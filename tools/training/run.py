"""One training, from its solver to its last snapshot, for `recaffe train` and each step of the alternating scheme."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ...prototxt import SolverParameter
from ...prototxt.net import Allow
from ...prototxt.solving import NonfiniteLossError, Ranks, Request, SignalRequests, Solver
from ...prototxt.text import Config
from ..datasets import Roidb
from .errors import TrainingError
from .log import TrainLog, summary
from .trainer import feed_detector, resume

_ALONE = Ranks()
_DISPLAY = 20
_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
"""What glibc's mallopt calls them."""
_STATE = re.compile(r"_iter_(\d+)\.solverstate(\.h5)?$")


@dataclass(frozen=True)
class Means:
    """What it is trained with; bf16 and compiled change how numbers round."""

    workers: int = 2
    quiet: bool = False
    device: str | torch.device = "cpu"
    bf16: bool = False
    compiled: bool = False
    faithful_inplace: bool = False


def solver_into(
    out: Path, param: SolverParameter, config: Config, name: str, means: Means, ranks: Ranks = _ALONE
) -> Solver:
    """A solver whose snapshots go into a folder, as often as the originals take them."""
    keep_memory()
    param.display = param.display or _DISPLAY
    # The originals' solvers leave snapshots to their config.
    param.snapshot = param.snapshot or config["TRAIN.SNAPSHOT_ITERS"]
    infix = f"_{config['TRAIN.SNAPSHOT_INFIX']}" if config["TRAIN.SNAPSHOT_INFIX"] else ""
    param.snapshot_prefix = str(out / f"{Path(param.snapshot_prefix or name).stem}{infix}")
    out.mkdir(parents=True, exist_ok=True)
    faithful = means.faithful_inplace
    solver = Solver(param, config=config, ranks=ranks, name=name, device=means.device, faithful_inplace=faithful)
    if means.bf16:
        solver.precision = torch.autocast(torch.device(means.device).type, torch.bfloat16)
    if means.compiled:
        solver.net.compile_chains()
    return solver


def keep_memory() -> None:
    """Have glibc keep what is freed: diffs come and go in every iteration, and new pages take a fifth of its time."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)


def train_through(solver: Solver, roidb: Roidb, out: Path, start: Callable[[Solver], None], means: Means) -> bool:
    """Train on a roidb up to max_iter, with logs in `out`; whether it got there, or was asked to stop.

    `start` gives the solver, once it is fed, the weights or the snapshot to begin from.
    """
    batches = feed_detector(solver, roidb, means.workers)
    try:
        start(solver)
        if solver.ranks.rank:
            return _follow(solver)
        count = sum(len(entry.boxes) for entry in roidb.entries)
        print(
            f"{len(roidb.entries):,} pictures, {count:,} regions, classes: {', '.join(roidb.classes[1:])}", flush=True
        )
        log = TrainLog(out, solver.iter, solver.param.max_iter, means.quiet)
        try:
            finished = _solve(solver, log)
        finally:
            curves = log.curves()
    finally:
        batches.close()
    if log.rows:
        print(f"iteration {solver.iter}: {summary(log.rows[-1])}")
    print(f"{out}: snapshots, train.csv, train.jsonl{', train.png' if curves else ''}", flush=True)
    return finished


def _solve(solver: Solver, log: TrainLog) -> bool:
    solver.tell = log.tell
    with log, SignalRequests() as requests:

        def between() -> Request:
            log.bar.update(solver.iter - log.bar.n)
            return requests.take()

        solver.requests = between
        try:
            return solver.solve()
        except NonfiniteLossError:
            # Under a name of its own, for a look: a resumed training goes on from the last of the others.
            if solver.ranks.count == 1:
                solver.param.snapshot_prefix += "_nonfinite"
                solver.snapshot()
            raise


def _follow(solver: Solver) -> bool:
    """Train along with rank 0, which logs."""
    with SignalRequests() as requests:
        solver.requests = requests.take
        return solver.solve()


def start_from(solver: Solver, weights: str | Path) -> None:
    """Take the weights that fit; a file of which none does is refused."""
    found = solver.net.load(weights, allow=Allow(missing=True, unused=True))
    if not found.matched:
        raise TrainingError(f"{weights}: none of its layers is in the net: weights of another one?")
    print(found.report())


def go_on(solver: Solver, state: str | Path) -> None:
    """Go on from a snapshot."""
    for note in resume(solver, str(state)):
        print(f"note: {note}", file=sys.stderr)
    print(f"goes on from {state}")


def states_of(param: SolverParameter) -> dict[int, Path]:
    """The states of a solver's snapshots by their iteration."""
    prefix = Path(param.snapshot_prefix)
    found = {path: _STATE.search(path.name) for path in prefix.parent.glob(f"{prefix.name}_iter_*.solverstate*")}
    return {int(match[1]): path for path, match in found.items() if match}
