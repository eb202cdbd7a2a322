"""`recaffe doctor`: what this installation runs on, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import json

NAME = "doctor"
HELP = "print versions, native kernels, threads, device and optional extras"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; findings are advice, so the status is 0."""
    from ..report import examine, installation_text

    report = examine()
    print(json.dumps(report, indent=2) if args.json else installation_text(report))
    return 0
