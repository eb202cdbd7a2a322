"""`recaffe compare`: find where a net with its weights first differs from golden blobs, whose doing it is, and why.

The net is run as in use, errors adding up from layer to layer, and layer by layer, each fed the golden's own blobs.
Exit status 0: all the same, be it but for the order of equal scores; 1: something differs; 2: a file cannot be used.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_sides, files_of, in_flags, subject_of, told_command, told_of_case

if TYPE_CHECKING:
    from ...golden import Subject
    from ...golden.diagnosis import Comparison, Options
    from ..report import Document

NAME = "compare"
HELP = "find the first layer that differs from golden blobs, and the cause"
_OF_PORT = {"bbox_normalize": "--bbox-normalize", "bbox_unnormalize": "--bbox-unnormalize"}
"""Flags of `recaffe port`, which a cause may name."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_sides(parser, "GOLDEN")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--chain", action="store_true", help="only run the net as in use: errors add up")
    mode.add_argument("--isolate", action="store_true", help="only run each layer by itself, on the golden's own blobs")
    parser.add_argument("--until", default="", metavar="BLOB", help="leave out the layers behind this blob")
    parser.add_argument("--verbose", "-v", action="store_true", help="print every blob, not only those that differ")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report to look at, all in one file")
    parser.add_argument("--force", action="store_true", help="let --html replace a file")


def run(args: argparse.Namespace) -> int:
    """Compare with each fixture in turn."""
    from ...golden.diagnosis import Options, as_json
    from ...golden.fixture import find
    from ...prototxt.files import whole_file
    from ..report import Document, as_text

    found, subject = find(args.golden), subject_of(args, args.until)
    options = Options(chain=not args.isolate, isolate=not args.chain, tolerance=args.tolerance)
    counts = {"same": 0, "same but for ties": 0, "different": 0, "unusable": 0}
    entries: list[object] = []
    with ExitStack() as stack:
        part = stack.enter_context(whole_file(args.html, args.force)) if args.html else None
        report = Document("Compared with golden blobs") if args.html else None
        for path in found.fixtures:
            try:
                comparison = _compare(subject, path, options, report)
            except Exception as error:  # a defect of ours in one case, too, must not keep the others from running
                counts["unusable"] += 1
                reason = told_of_case(error, args.flags)
                entries.append({"path": str(path), "error": reason})
                text = f"error  {path}: {reason}"
                if report is not None:
                    report.add_unusable(str(path), reason)
            else:
                counts[comparison.outcome] += 1
                entries.append({"ok": comparison.ok, "outcome": comparison.outcome, **as_json(comparison)})
                text = as_text(comparison, args.verbose)
            if not args.json:
                print(_flagged(args, text), flush=True)
        if part is not None and report is not None:
            page = report.html(told_command(args.words), files_of(args, found.fixtures))
            part.write_text(_flagged(args, page), encoding="utf-8")
    if args.json:
        ok = not counts["different"] + counts["unusable"]
        whole = {
            "ok": ok,
            **{key.replace(" ", "_"): number for key, number in counts.items()},
            "note": found.note(),
            "fixtures": entries,
        }
        print(_flagged(args, json.dumps(whole)))
    else:
        totals = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        written = f"report: {args.html}" if args.html else ""
        print("\n".join(filter(None, (found.note(), f"{len(entries)} fixture(s): {totals}", written))))
    return 2 if counts["unusable"] else 1 if counts["different"] else 0


def _flagged(args: argparse.Namespace, text: str) -> str:
    """A text with flags for what a comparison names."""
    return in_flags(text, ("isolate", "verbose", "faithful_inplace", *_OF_PORT), args.flags | _OF_PORT)


def _compare(subject: Subject, path: Path, options: Options, report: Document | None) -> Comparison:
    """Compare with one fixture, and draw what is compared if there is a report."""
    from ...golden.diagnosis import compare_fixture
    from ...golden.fixture import Fixture

    fixture = Fixture.load(path)
    if report is None:
        return compare_fixture(subject, fixture, options)
    net, gallery = report.gallery(subject, fixture)
    comparison = compare_fixture(subject, fixture, options, gallery)
    report.add(comparison, fixture, net, gallery)
    return comparison
