"""`recaffe zoo`: nets and solvers of known models, for any number of classes and any anchors."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CommandError

if TYPE_CHECKING:
    from ...prototxt.zoo import DetectionTask

NAME = "zoo"
HELP = "print a model's prototxt or solver; without a model, list them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from ...prototxt.zoo import DATASETS, MODELS

    parser.add_argument("model", metavar="MODEL", nargs="?", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--scheme", default="end2end", help="how it is trained (default end2end)")
    parser.add_argument("--phase", type=str.upper, choices=("TEST", "TRAIN"), help="which of its nets (default TEST)")
    parser.add_argument("--dataset", choices=DATASETS, default="voc", help="whose settings to start from (default voc)")
    parser.add_argument("--classes", type=int, metavar="N", help="classes, the background among them")
    for name, what in (("scales", "sides in units of 16 pixels"), ("ratios", "heights to widths")):
        help_text = f"the anchors' {what}; scales times ratios are the anchors"
        parser.add_argument(f"--{name}", type=float, nargs="+", metavar="X", help=help_text)
    parser.add_argument("--solver", action="store_true", help="print the solver instead of a net")
    parser.add_argument("--train-net", metavar="FILE", default="train.prototxt", help="the net that the solver names")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write there instead of printing")
    parser.add_argument("--force", action="store_true", help="let --output replace a file")


def run(args: argparse.Namespace) -> int:
    """Print a prototxt, or what there is."""
    from ...prototxt.text import print_text
    from ...prototxt.zoo import make_net, make_solver

    if args.model is None:
        text = _listing()
    elif args.solver:
        if args.phase:
            raise CommandError("--solver: a solver has no phase; leave out --phase")
        text = print_text(make_solver(args.model, args.scheme, args.dataset, args.train_net))
    else:
        text = print_text(make_net(args.model, args.scheme, args.phase or "TEST", _task(args)))
    if args.output:
        from ...prototxt.files import whole_file  # here, as only a file brings torch

        with whole_file(args.output, args.force) as part:
            part.write_text(text)
    else:
        print(text, end="")
    return 0


def _listing() -> str:
    from ...prototxt.zoo import MODELS

    lines = []
    for model, schemes in MODELS.items():
        lines += [f"{model:15} {scheme:17} {' '.join(phases)}" for scheme, phases in schemes.items()]
    return "\n".join(lines) + "\n"


def _task(args: argparse.Namespace) -> DetectionTask:
    """The data set's task with what the user says instead."""
    from ...prototxt.zoo import DATASETS

    if args.classes is not None and args.classes < 2:
        raise CommandError(f"--classes {args.classes}: at least 2, the background and one more")
    given: dict[str, Any] = {name: tuple(getattr(args, name)) for name in ("scales", "ratios") if getattr(args, name)}
    for name, values in given.items():
        if min(values) <= 0:
            raise CommandError(f"--{name} {min(values):g}: more than 0")
    if args.classes is not None:
        given["classes"] = args.classes
    return replace(DATASETS[args.dataset], **given)
