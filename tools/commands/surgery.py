"""`recaffe surgery`: change a net's prototxt and its weights together.

Operations are done in the order in which the help lists them, each on what the one before it left. The nets before and
after each are run and compared where numbers must stay the same, and both files are read back before they are kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_dialect, add_net, allowed, config_of, in_flags
from .errors import CommandError

if TYPE_CHECKING:
    from ...prototxt import NetParameter
    from ...prototxt.net import Match, Net

NAME = "surgery"
HELP = "change classes, anchors or layers, the prototxt and the weights together"

Operate = Callable[[Any], None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser, weights=False)
    parser.add_argument("source", metavar="IN", help="the weights, in any format that is read")
    parser.add_argument("target_net", metavar="OUT_NET", help="the prototxt to write")
    parser.add_argument("target", metavar="OUT", help="the weights to write; the suffix says the format, as for port")
    parser.add_argument("--force", action="store_true", help="replace OUT_NET and OUT if they are there")
    add_dialect(parser)
    parser.add_argument("--run", dest="run_nets", action="store_true", help="run the nets, however large they are")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    group = parser.add_argument_group("operations")
    group.add_argument("--drop", nargs="+", default=[], metavar="LAYER", help="take layers out")
    group.add_argument("--merge-bn", action="store_true", help="merge BatchNorm and Scale into convolutions")
    group.add_argument(
        "--classes", metavar="N|NAME,...", help="the new classes: a number with the background, or names without it"
    )
    group.add_argument("--from", dest="old", metavar="NAME,...", help="the old ones' names; equal names are kept")
    group.add_argument(
        "--keep", nargs="+", default=[], metavar="OLD=NEW", help="classes to keep by name or number (0: background)"
    )
    for name, what in (("scales", "sides in units of 16 pixels"), ("ratios", "heights to widths")):
        group.add_argument(f"--{name}", type=float, nargs="+", metavar="X", help=f"the new anchors' {what}")
    help_text = "cut fully connected layers to RANK singular values, as LAYER_L and LAYER_U"
    group.add_argument("--svd", nargs="+", default=[], metavar="LAYER=RANK", help=help_text)
    help_text = "split layers by outputs into LAYER_1, LAYER_2, ..., joined by a Concat"
    group.add_argument("--split", nargs="+", default=[], metavar="LAYER=N,M,...", help=help_text)
    group.add_argument(
        "--rename", nargs="+", default=[], metavar="OLD=NEW", help="rename layers; blobs keep their names"
    )


def run(args: argparse.Namespace) -> int:
    """Operate, and print what was done."""
    from ...prototxt.export import params_of
    from ...prototxt.files import dialect_of, format_for
    from ...prototxt.net import Net
    from ...prototxt.text import NetText, read_net
    from ..porting import operate, write_operated
    from ..report import SurgeryReport

    if Path(args.target_net).resolve() == Path(args.target).resolve():
        raise CommandError(f"{args.target}: is OUT_NET and OUT: two files are written")
    form, dialect = format_for(Path(args.target)), dialect_of(args.dialect)
    operations = list(_operations(args))
    if not operations:
        raise CommandError("nothing to do: see the operations in recaffe surgery --help")
    text = read_net(args.net)
    built = partial(Net, phase=args.phase, config=config_of(args, text), level=args.level, stages=args.stage)

    def build(message: NetParameter) -> Net:
        return built(NetText(message, args.target_net))

    net = built(text)
    found = net.load(args.source, allow=allowed(args))
    title, notes = form.title(args.dialect), _notes(found)
    report = SurgeryReport(args.net, args.source, args.target_net, args.target, title, notes=notes)
    net, message, report.steps = operate(net, text.net, operations, build, args.run_nets)
    report.params = sum(len(layer.params) for layer in params_of(net))
    files = args.target_net, args.target
    write_operated(net, message, build, files, dialect, force=args.force, allow=allowed(args))
    report.checks.append("the prototxt takes every param of the weights, read back bit for bit the same")
    told = json.dumps(asdict(report)) if args.json else report.text()
    print(in_flags(told, ("old", "run_nets"), args.flags))
    return 0


def _operations(args: argparse.Namespace) -> Iterator[tuple[str, Operate]]:
    """What is asked for, in the order of the help."""
    from ...prototxt.surgery import change_anchors, compress, drop, merge_batch_norms, rename, split_layer

    if args.drop:
        yield "drop", partial(drop, names=args.drop)
    if args.merge_bn:
        yield "merge-bn", merge_batch_norms
    if args.classes is not None:
        yield "classes", _class_change(args)
    elif args.old or args.keep:
        raise CommandError("--from and --keep say which classes go on: add --classes")
    if args.scales or args.ratios:
        yield "anchors", partial(change_anchors, scales=args.scales, ratios=args.ratios)
    for name, (rank, *more) in _numbers("--svd", args.svd):
        if more:
            raise CommandError(f"--svd {name}: one rank, not {len(more) + 1}")
        yield f"svd {name}", partial(compress, name=name, rank=rank)
    for name, counts in _numbers("--split", args.split):
        yield f"split {name}", partial(split_layer, name=name, counts=counts)
    if args.rename:
        yield "rename", partial(rename, names=_pairs("--rename", args.rename))


def _pairs(option: str, words: list[str]) -> dict[str, str]:
    """What is before and behind the = of each word."""
    pairs: dict[str, str] = {}
    for word in words:
        before, equals, after = word.partition("=")
        if not equals or before in pairs:
            raise CommandError(f"{option} {word}: expected {'a layer once' if equals else 'LAYER=...'}")
        pairs[before] = after
    return pairs


def _numbers(option: str, words: list[str]) -> Iterator[tuple[str, list[int]]]:
    for name, text in _pairs(option, words).items():
        numbers = text.split(",")
        if not all(number.isdecimal() for number in numbers):
            raise CommandError(f"{option} {name}={text}: expected numbers behind the =")
        yield name, list(map(int, numbers))


def _class_change(args: argparse.Namespace) -> Operate:
    from ...prototxt.surgery import ClassChange, Classes, change_classes

    change = ClassChange(Classes.of(args.classes), Classes.of(args.old) if args.old else None, args.keep)
    return partial(change_classes, change=change)


def _notes(found: Match) -> list[str]:
    """What of the weights was not as the net has it."""
    notes = [f"layer {name!r} is not in {found.path}: it is as its fillers made it" for name in found.missing]
    return notes + [f"layer {name!r} of {found.path} was left out: the net lacks it" for name in found.unused]
