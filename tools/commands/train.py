"""`recaffe train`: train a detector with Caffe's solver on PASCAL VOC's or COCO's format.

SOLVER and its prototxts are the originals' own, or the zoo's. Ctrl-C takes a snapshot and stops, SIGHUP takes one and
goes on; --resume goes on from the last, to the same numbers as if nothing had happened. Under `torchrun` it trains as
Caffe on many GPUs, and with --resume auto a restart goes on from the last snapshot.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_config, add_faithful_inplace, add_means, add_set, config_of, in_flags, means_of, set_of
from .errors import CommandError

if TYPE_CHECKING:
    from ...prototxt import SolverParameter
    from ...prototxt.solving import Ranks, Solver

NAME = "train"
HELP = "train a detector with Caffe's solver"
_SAID_ELSEWHERE = 2


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
        "--resume",
        nargs="?",
        const="last",
        metavar="STATE",
        help="go on from this .solverstate, or OUT's last; auto: from OUT's last, or begin where there is none",
    )
    parser.add_argument(
        "--proposals", metavar="FILE", help="boxes for a Fast R-CNN net: .npz, the originals' .pkl, or .mat"
    )
    add_means(parser)
    add_faithful_inplace(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Train, and tell where what came of it lies."""
    from ...prototxt.solving import OthersFailedError, joined

    try:
        with joined() as ranks, _heard(ranks):
            return _train(args, ranks)
    except OthersFailedError:
        return _SAID_ELSEWHERE


def _heard(ranks: Ranks) -> ExitStack:
    """Let rank 0 alone speak; errors are told all the same."""
    stack = ExitStack()
    if ranks.rank:
        stack.enter_context(redirect_stdout(StringIO()))
        stack.enter_context(redirect_stderr(StringIO()))
    return stack


def _train(args: argparse.Namespace, ranks: Ranks) -> int:
    from ...prototxt.net import inplace_hazards
    from ..datasets import training_roidb
    from ..training import train_through

    solver = _solver(args, ranks)
    for line in inplace_hazards(solver.net.steps, solver.net.faithful_inplace):
        print(f"note: {in_flags(line, ('faithful_inplace',), args.flags)}", file=sys.stderr)
    roidb = training_roidb([set_of(args)], solver.net.config, [args.proposals] if args.proposals else ())
    if not train_through(solver, roidb, args.out, partial(_start, args), means_of(args)):
        raise CommandError(f"stopped after iteration {solver.iter}; --resume goes on from there")
    return 0


def _solver(args: argparse.Namespace, ranks: Ranks) -> Solver:
    """The solver, with what the arguments change, and its nets."""
    from ...prototxt.solving import train_text
    from ...prototxt.text import read_solver
    from ..training import solver_into

    param = read_solver(args.solver)
    config = config_of(args, train_text(param, Path()))
    param.max_iter = args.iters or param.max_iter
    if not param.max_iter:
        raise CommandError(f"{args.solver}: has no max_iter: say with --iters how long to train")
    return solver_into(args.out, param, config, args.solver, means_of(args), ranks)


def _start(args: argparse.Namespace, solver: Solver) -> None:
    """Weights to start from, or a snapshot to go on from."""
    from ..training import go_on, start_from, states_of

    states = states_of(solver.param)
    if args.resume and (states or args.resume != "auto"):
        go_on(solver, _last(states, solver.param) if args.resume in ("auto", "last") else args.resume)
    elif states:
        raise CommandError(f"{args.out}: holds snapshots of a training: --resume goes on, or choose another --out")
    elif args.weights:
        start_from(solver, args.weights)


def _last(states: dict[int, Path], param: SolverParameter) -> Path:
    if not states:
        raise CommandError(f"{param.snapshot_prefix}_iter_*.solverstate: there is none to go on from")
    return states[max(states)]
