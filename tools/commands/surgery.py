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

from ...golden import GoldenError
from ...golden.proof import compare_changed, compare_params, needs_data
from ...prototxt import NetParameter, PrototxtError
from ...prototxt.export import params_of, write_weights
from ...prototxt.files import DIALECTS, brought_to_disk, format_for, whole_file
from ...prototxt.net import Allow, Match, Net
from ...prototxt.surgery import (
    ClassChange,
    Classes,
    Operation,
    change_anchors,
    change_classes,
    compress,
    drop,
    merge_batch_norms,
    printed,
    rename,
    split_layer,
)
from ...prototxt.text import NetText, read_net
from ..errors import CommandError
from ..report import SurgeryReport, step_of
from .arguments import add_net, allowed, config_of
from .port import too_large

NAME = "surgery"
HELP = "change classes, anchors or layers, the prototxt and the weights together"

Operate = Callable[[Operation], None]
Build = Callable[[NetParameter], Net]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser, weights=False)
    parser.add_argument("source", metavar="IN", help="the weights, in any format that is read")
    parser.add_argument("target_net", metavar="OUT_NET", help="the prototxt to write")
    parser.add_argument("target", metavar="OUT", help="the weights to write; the suffix says the format, as for port")
    parser.add_argument("--force", action="store_true", help="replace OUT_NET and OUT if they are there")
    parser.add_argument(
        "--dialect", choices=DIALECTS, default="bvlc", help="the Caffe that is to read a .caffemodel (default bvlc)"
    )
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
    if Path(args.target_net).resolve() == Path(args.target).resolve():
        raise CommandError(f"{args.target}: is OUT_NET and OUT: two files are written")
    form = format_for(Path(args.target))
    operations = list(_operations(args))
    if not operations:
        raise CommandError("nothing to do: see the operations in recaffe surgery --help")
    text = read_net(args.net)
    config = config_of(args, text)

    def build(message: NetParameter, name: str = args.target_net) -> Net:
        return Net(NetText(message, name), args.phase, config=config, level=args.level, stages=args.stage)

    net = Net(text, args.phase, config=config, level=args.level, stages=args.stage)
    found = net.load(args.source, allow=allowed(args))
    report = SurgeryReport(
        args.net, args.source, args.target_net, args.target, form.title(args.dialect), notes=_notes(found)
    )
    message = text.net
    for name, operate in operations:
        operation = Operation(net, message)
        operate(operation)
        changed = operation.finish(build)
        report.steps.append(step_of(name, operation, _checks(args, operation, changed)))
        net, message = changed, operation.message
    report.params = sum(len(layer.params) for layer in params_of(net))
    _write(args, net, message, build, report)
    print(json.dumps(asdict(report)) if args.json else report.text())
    return 0


def _operations(args: argparse.Namespace) -> Iterator[tuple[str, Operate]]:
    """What is asked for, in the order of the help."""
    if args.drop:
        yield "drop", partial(drop, names=args.drop)
    if args.merge_bn:
        yield "merge-bn", merge_batch_norms
    if args.classes is not None:
        change = ClassChange(Classes.of(args.classes), Classes.of(args.old) if args.old else None, args.keep)
        yield "classes", partial(change_classes, change=change)
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
    """What stands before and behind the = of each word."""
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


def _notes(found: Match) -> list[str]:
    """What of the weights was not as the net has it."""
    notes = [f"layer {name!r} is not in {found.path}: it is as its fillers made it" for name in found.missing]
    return notes + [f"layer {name!r} of {found.path} was left out: the net lacks it" for name in found.unused]


def _checks(args: argparse.Namespace, operation: Operation, changed: Net) -> list[str]:
    """Run the net before and after an operation, or tell why not."""
    net = operation.net
    if reason := needs_data(net) or needs_data(changed):
        return [f"not run: {reason}"]
    if reason := too_large(args, net):
        return [reason]
    return compare_changed(net, changed, operation.promise)


def _write(args: argparse.Namespace, net: Net, message: NetParameter, build: Build, report: SurgeryReport) -> None:
    """Write both files aside, read them back as a user would, and give them their names."""
    layers = params_of(net)
    with whole_file(args.target_net, args.force) as text, whole_file(args.target, args.force) as weights:
        text.write_text(printed(message))
        with brought_to_disk(text):
            write_weights(weights, net, layers, DIALECTS[args.dialect])
        try:
            back = build(read_net(text).net)
            back.load(weights, allow=Allow(nonfinite=args.allow_nonfinite))
            compare_params(layers, params_of(back))
        except (GoldenError, PrototxtError) as error:
            reason = str(error).replace(str(weights), "the written file").replace(str(text), "the written prototxt")
            raise CommandError(f"{args.target}: not kept: {reason}") from error
    report.checks.append("the prototxt takes every param of the weights, read back bit for bit the same")
