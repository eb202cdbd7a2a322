"""`recaffe summary`: a net's layers, shapes, params, multiply-adds and memory, without computing or data."""

from __future__ import annotations

import argparse
import json

from .arguments import add_net, allowed, in_flags, input_shapes, net_of

NAME = "summary"
_WAYS = {"faithful_inplace": "recaffe train --faithful-inplace"}
HELP = "print a net's layers, blob and param shapes, multiply-adds and memory"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser)
    parser.add_argument(
        "--input", action="append", default=[], metavar="BLOB=N,C,H,W", help="another shape for a blob that is fed"
    )
    parser.add_argument("--json", action="store_true", help="print shapes as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    from ...prototxt.net import inplace_hazards
    from ...prototxt.text import read_net
    from ..report import summary_json, summary_text

    shapes, text = input_shapes(args.input), read_net(args.net)
    net = net_of(args, text, shapes)
    report = net.load(args.weights, allow=allowed(args)).report() if args.weights else ""
    notes = [f"{args.net}: {note}" for note in text.notes]
    notes += [in_flags(line, _WAYS, _WAYS) for line in inplace_hazards(net.steps)]
    if args.json:
        print(json.dumps(summary_json(net) | {"notes": notes}))
    else:
        print("\n".join(filter(None, (summary_text(net), *(f"note: {note}" for note in notes), report))))
    return 0
