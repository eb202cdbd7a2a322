"""What `compare` and `certify` hold against each other: a net and its weights on our side, fixtures on the golden's."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_config, add_faithful_inplace, changed_config

if TYPE_CHECKING:
    from ....golden import Subject

_OWN = "-"


def add_sides(parser: argparse.ArgumentParser, runs: str) -> None:
    """Add what is held against what, and how."""
    parser.add_argument("net", metavar="NET", help="the net's prototxt; - for each fixture's own")
    parser.add_argument("weights", metavar="WEIGHTS", help="its weights, in any format; - for each fixture's own")
    parser.add_argument("golden", nargs="+", metavar=runs, help="fixtures (.npz) or folders of them")
    parser.add_argument(
        "--tolerance",
        type=float,
        metavar="T",
        help="what is allowed, in parts of a blob's largest magnitude (default 1e-5 for a layer forward, else 1e-4)",
    )
    parser.add_argument("--phase", choices=("TEST", "TRAIN"), help="the phase (default the fixture's)")
    parser.add_argument("--level", type=int, default=0, help="the level that include and exclude rules see (default 0)")
    parser.add_argument("--stage", action="append", default=[], help="a stage that they see; may be given again")
    add_faithful_inplace(parser)
    add_config(parser, "the fixture's")


def subject_of(args: argparse.Namespace, until: str = "") -> Subject:
    """Our side, as `add_sides` has it."""
    from ....golden import Subject
    from ....prototxt.files import read_weights
    from ....prototxt.text import read_net

    return Subject(
        text=None if args.net == _OWN else read_net(args.net),
        weights=None if args.weights == _OWN else read_weights(args.weights),
        phase=args.phase,
        configure=partial(changed_config, args),
        level=args.level,
        stages=tuple(args.stage),
        until=until,
        faithful_inplace=args.faithful_inplace,
    )


def files_of(args: argparse.Namespace, fixtures: list[Path]) -> Iterator[Path]:
    """Every file that a comparison depends on."""
    yield from (Path(word) for word in (args.net, args.weights) if word != _OWN)
    yield from map(Path, args.cfg)
    for path in fixtures:
        yield path
        yield from sorted(path.parent.glob(f"{path.stem}_iter_*"))  # a trace goes on from snapshots
