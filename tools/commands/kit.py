"""`recaffe kit`: print the one file that writes golden fixtures on the old machine, where Caffe still runs.

It needs Python 2.7 to 3.12, NumPy and that machine's pycaffe: `python dump_caffe.py --help` there tells the rest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "kit"
HELP = "print the script that writes golden fixtures where Caffe still runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--output", metavar="FILE", type=Path, help="write there instead of printing")
    parser.add_argument("--force", action="store_true", help="let --output replace a file")


def run(args: argparse.Namespace) -> int:
    """Print the script as it is."""
    from ...golden import dump_caffe
    from ...prototxt.files import whole_file

    script = Path(dump_caffe.__file__).read_bytes()
    if args.output is None:
        print(script.decode(), end="")
        return 0
    with whole_file(args.output, args.force) as part:
        part.write_bytes(script)
    return 0
