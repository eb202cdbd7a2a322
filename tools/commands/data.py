"""`recaffe data`: look a data set over before training on it, or make one of drawn shapes.

`check` reads every annotation and every image. Exit status 0: nothing found; 1: something found, or with --fix
something left; 2: not to be read at all.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...nearest import did_you_mean
from .arguments import in_flags
from .errors import CommandError

if TYPE_CHECKING:
    from ..datasets import Finding, SetReport

NAME = "data"
HELP = "look a data set over and mend it, or make one of drawn shapes"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = commands.add_parser("check", help="look a data set over", description="Look a data set over.")
    check.add_argument("path", metavar="PATH", type=Path, help="a folder in VOC's layout, or COCO's instances_*.json")
    check.add_argument("--images", metavar="FOLDER", type=Path, help="where COCO's images are")
    check.add_argument("--classes", metavar="NAME,...", help="the classes (default: VOC's lists of them; COCO's own)")
    check.add_argument("--tiny", type=int, default=3, metavar="N", help="sides below N pixels are tiny (default 3)")
    check.add_argument("--allow", nargs="+", default=[], metavar="KIND", help="pass over these findings, such as tiny")
    check.add_argument("--fix", metavar="OUT", type=Path, help="write a corrected copy: a folder, or COCO's file")
    check.add_argument("--force", action="store_true", help="replace OUT if it is there")
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(do=_check)
    shapes = commands.add_parser("shapes", help="make a data set of drawn shapes", description="Draw a data set.")
    shapes.add_argument("out", metavar="OUT", type=Path, help="the folder to write, in VOC's layout")
    shapes.add_argument("--images", type=int, default=400, metavar="N", help="how many pictures (default 400)")
    shapes.add_argument("--seed", type=int, default=3, metavar="N", help="the same seed draws the same (default 3)")
    shapes.add_argument("--force", action="store_true", help="replace OUT if it is there")
    shapes.set_defaults(do=_shapes)


def run(args: argparse.Namespace) -> int:
    """Do what is asked for."""
    return int(args.do(args))


def _check(args: argparse.Namespace) -> int:
    from ..datasets import KINDS, write_coco_copy, write_voc_copy

    if unknown := [kind for kind in args.allow if kind not in KINDS]:
        near = did_you_mean(unknown[0], KINDS) or f"; there are {', '.join(KINDS)}"
        raise CommandError(f"--allow {unknown[0]}: there is no such kind of finding{near}")
    report = _looked_over(args)
    findings = [finding for finding in report.findings if finding.kind not in args.allow]
    if args.fix:
        (write_voc_copy if report.source.is_dir() else write_coco_copy)(report, args.fix, args.force)
    left = [finding for finding in findings if not (args.fix and finding.mend)]
    if args.json:
        print(in_flags(json.dumps(_as_json(report, findings, args.fix)), ("classes",), args.flags))
    else:
        for finding in findings:
            became = ("fixed " if finding.mend else "left  ") if args.fix else ""
            print(f"{became}{in_flags(_told(finding), ('classes',), args.flags)}")
        print(_total(report, findings, left, args.fix))
    return 1 if left else 0


def _looked_over(args: argparse.Namespace) -> SetReport:
    from ..datasets import check_coco, check_voc

    path: Path = args.path
    if not path.exists():
        raise CommandError(f"{path}: no such file or folder")
    if path.is_dir():
        if args.images:
            raise CommandError(f"{path}: is a folder in VOC's layout, whose images are in JPEGImages: drop --images")
        return check_voc(path, args.classes.split(",") if args.classes else (), args.tiny)
    if args.classes:
        raise CommandError("--classes: COCO's file has its own categories: leave it out")
    if not args.images:
        raise CommandError(f"{path}: say with --images FOLDER where its images are")
    return check_coco(path, args.images, args.tiny)


def _told(finding: Finding) -> str:
    """A finding and the way out."""
    return f"{finding.place}: {finding.what} ({f'--fix {finding.mend}' if finding.mend else finding.way})"


def _total(report: SetReport, findings: list[Finding], left: list[Finding], fixed: Path | None) -> str:
    from ..datasets import KINDS

    counts = Counter(finding.kind for finding in findings)
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    head = f"{report.source}: {len(report.pictures):,} pictures, {report.objects:,} objects: {kinds or 'nothing found'}"
    return f"{head}; {fixed} has {len(findings) - len(left)} fixed, {len(left)} left" if fixed else head


def _as_json(report: SetReport, findings: list[Finding], fixed: Path | None) -> dict[str, object]:
    entries = [asdict(f) | {"file": str(f.file), "fixed": bool(fixed and f.mend)} for f in findings]
    head = {"path": str(report.source), "pictures": len(report.pictures), "objects": report.objects}
    return {**head, "copy": str(fixed) if fixed else None, "findings": entries}


def _shapes(args: argparse.Namespace) -> int:
    from ..datasets import write_shapes

    if args.images < 1:
        raise CommandError(f"--images {args.images}: at least 1")
    counts = write_shapes(args.out, args.images, args.seed, args.force)
    print(f"{args.out}: {args.images:,} pictures, {', '.join(f'{n:,} {name}' for name, n in counts.items())}")
    return 0
