"""`recaffe layers`: the layer types with their fields and defaults, or one type's contract, from the code itself."""

from __future__ import annotations

import argparse
import json

NAME = "layers"
HELP = "list the layer types with their fields, or print one type's contract"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("type", metavar="TYPE", nargs="?", help="the type whose contract to print")
    parser.add_argument("--json", action="store_true", help="print contracts as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the list, or one contract."""
    from ...layers import registered
    from ..report import contract_json, contract_text, find_type, types_text

    types = registered() if args.type is None else dict([find_type(args.type)])
    if args.json:
        print(json.dumps([contract_json(name, cls) for name, cls in types.items()]))
    elif args.type is None:
        print(types_text(types))
    else:
        print("\n".join(contract_text(name, cls) for name, cls in types.items()))
    return 0
