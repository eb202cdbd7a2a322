"""`recaffe train`: train a detector with Caffe's solver on PASCAL VOC's or COCO's format.

SOLVER and its prototxts are the originals' own, or the zoo's. Ctrl-C takes a snapshot and stops, SIGHUP takes one and
goes on; --resume goes on from the last, to the same numbers as if nothing had happened.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from ..prototxt.caffe_pb2 import SolverParameter
from ..prototxt.requests import Request, SignalRequests
from ..prototxt.solver import Solver
from ..prototxt.solver_nets import train_text
from ..prototxt.text import read_solver
from .arguments import add_config, config_of
from .datasets.training import training_roidb
from .errors import CommandError
from .evaluation.named_set import add_set, named_set
from .train_log import TrainLog, summary
from .trainer import feed_detector, resume

NAME = "train"
HELP = "train a detector with Caffe's solver"
_DISPLAY = 20
_STATE = re.compile(r"_iter_(\d+)\.solverstate(\.h5)?$")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("solver", metavar="SOLVER", help="the solver's prototxt; paths in it lead from here on")
    add_set(parser, image_set="trainval")
    parser.add_argument(
        "--weights", metavar="FILE", help="to start from; layers that it lacks start from their fillers"
    )
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path("output"), help="for snapshots and logs")
    parser.add_argument("--iters", type=int, metavar="N", help="iterations, in place of the solver's max_iter")
    parser.add_argument(
        "--resume", nargs="?", const="last", metavar="STATE", help="go on from this .solverstate, or OUT's last"
    )
    parser.add_argument("--proposals", metavar="FILE", help="boxes for a Fast R-CNN net: .npz, or the originals' .pkl")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="threads that read images (default 2)")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Train, and tell where what came of it lies."""
    solver = _solver(args)
    roidb = training_roidb([named_set(args)], solver.net.config, [args.proposals] if args.proposals else ())
    batches = feed_detector(solver, roidb, args.workers)
    _start(args, solver)
    count = sum(len(entry.boxes) for entry in roidb.entries)
    print(f"{len(roidb.entries):,} pictures, {count:,} regions, classes: {', '.join(roidb.classes[1:])}", flush=True)
    log = TrainLog(args.out, solver.iter, solver.param.max_iter, args.quiet)
    solver.tell = log.tell
    try:
        with log, SignalRequests() as requests:

            def between() -> Request:
                log.bar.update(solver.iter - log.bar.n)
                return requests.take()

            solver.requests = between
            finished = solver.solve()
    finally:
        batches.close()
        curves = log.curves()
    if log.rows:
        print(f"iteration {solver.iter}: {summary(log.rows[-1])}")
    print(f"{args.out}: snapshots, train.csv, train.jsonl{', train.png' if curves else ''}")
    if not finished:
        raise CommandError(f"stopped after iteration {solver.iter}; --resume goes on from there")
    return 0


def _solver(args: argparse.Namespace) -> Solver:
    """The solver, with what the arguments change, and its nets."""
    param = read_solver(args.solver)
    config = config_of(args, train_text(param, Path()))
    param.max_iter = args.iters or param.max_iter
    if not param.max_iter:
        raise CommandError(f"{args.solver}: has no max_iter: say with --iters how long to train")
    param.display = param.display or _DISPLAY
    # The originals' solvers leave snapshots to their config.
    param.snapshot = param.snapshot or config["TRAIN.SNAPSHOT_ITERS"]
    infix = f"_{config['TRAIN.SNAPSHOT_INFIX']}" if config["TRAIN.SNAPSHOT_INFIX"] else ""
    param.snapshot_prefix = str(args.out / f"{Path(param.snapshot_prefix or args.solver).stem}{infix}")
    args.out.mkdir(parents=True, exist_ok=True)
    return Solver(param, config=config, name=args.solver)


def _start(args: argparse.Namespace, solver: Solver) -> None:
    """Weights to start from, or a snapshot to go on from."""
    if args.resume:
        state = _last_state(solver.param) if args.resume == "last" else args.resume
        for note in resume(solver, state):
            print(f"note: {note}", file=sys.stderr)
        print(f"goes on from {state}")
    elif _states(solver.param):
        raise CommandError(f"{args.out}: holds snapshots of a training: --resume goes on, or choose another --out")
    elif args.weights:
        found = solver.net.load(args.weights, allow_missing=True, allow_unused=True)
        if not found.matched:
            raise CommandError(f"{args.weights}: none of its layers is in the net: weights of another one?")
        print(found.report())


def _states(param: SolverParameter) -> dict[int, Path]:
    """The states of a prefix by their iteration."""
    prefix = Path(param.snapshot_prefix)
    found = {path: _STATE.search(path.name) for path in prefix.parent.glob(f"{prefix.name}_iter_*.solverstate*")}
    return {int(match[1]): path for path, match in found.items() if match}


def _last_state(param: SolverParameter) -> str:
    states = _states(param)
    if not states:
        raise CommandError(f"{param.snapshot_prefix}_iter_*.solverstate: there is none to go on from")
    return str(states[max(states)])
