"""`make fuzz`: random nets of all types until the time is over; what fails is made small and written down."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import torch

from .judge import Failure, judged
from .random_net import types
from .shrink import shrink, write

FOLDER = Path("build", "fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, help="this net alone, of each type")
    parser.add_argument("--first", type=int, default=0, help="the first net of each type")
    parser.add_argument("--type", dest="types", action="append", choices=types(), help="these types alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    kinds = args.types or types()
    numbers = [args.seed] if args.seed is not None else count(args.first)
    end = time.monotonic() + 60 * args.minutes
    nets, refused, failed = Counter[str](), Counter[str](), list[Failure]()
    for number in numbers:
        for kind in kinds:
            if args.seed is None and time.monotonic() > end:
                return report(nets, refused, failed)
            found, turned_down = judged(kind, number)
            nets[kind] += 1
            refused.update(text.partition(":")[0] for text in turned_down)
            failed += found
            for failure in found[:1]:  # the others of a net are as a rule its consequences
                tell(failure)
    return report(nets, refused, failed)


def tell(failure: Failure) -> None:
    """Print a failure when it is found, made small."""
    small = shrink(failure)
    print(f"{failure.kind} {failure.number}: {small.check}: {small.told}")
    print(f"    {failure.command}    {write(small, FOLDER)}", flush=True)


def report(nets: Counter[str], refused: Counter[str], failed: list[Failure]) -> int:
    """How many nets there were of each type, and what failed."""
    for kind, number in sorted(nets.items()):
        bad = len({failure.number for failure in failed if failure.kind == kind})
        print(f"{number:6} {kind}" + (f"    {bad} failed" if bad else ""))
    print(f"{sum(refused.values())} layers were drawn that are refused, and left out")
    print(f"{sum(nets.values())} nets, {len({failure.command for failure in failed})} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
