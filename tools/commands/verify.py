"""`recaffe verify`: run golden fixtures through our nets and say whether every blob is Caffe's.

Exit status 0: all the same, be it but for the order of equal scores; 1: a blob differs; 2: a file cannot be used.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_faithful_inplace, in_flags, told_of_case

if TYPE_CHECKING:
    from ...golden import Report

NAME = "verify"
HELP = "run golden fixtures and compare every blob with Caffe's"
_SHOWN = 12


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="fixtures (.npz) or folders of them")
    parser.add_argument(
        "--isolate", action="store_true", help="feed every layer the golden's own bottoms and top diffs"
    )
    add_faithful_inplace(parser)
    parser.add_argument("--verbose", "-v", action="store_true", help="print every blob, not only those that differ")
    parser.add_argument("--json", action="store_true", help="print all results as JSON")


def run(args: argparse.Namespace) -> int:
    """Verify each fixture in turn."""
    from ...golden import verify as verify_fixture
    from ...golden.fixture import Fixture, find

    found = find(args.paths)
    entries: list[dict[str, object]] = []
    counts = {"same": 0, "same but for ties": 0, "different": 0, "unusable": 0}
    for path in found.fixtures:
        try:
            report = verify_fixture(Fixture.load(path), args.isolate, args.faithful_inplace)
            report.notes = [in_flags(note, ("isolate", "faithful_inplace"), args.flags) for note in report.notes]
        except Exception as error:  # a defect of ours in one case, too, must not keep the others from running
            counts["unusable"] += 1
            reason = told_of_case(error, args.flags)
            entries.append({"path": str(path), "ok": False, "error": reason})
            text = f"error  {_prefixed(path, reason)}"
        else:
            counts[report.outcome] += 1
            entries.append(_as_json(report))
            text = _as_text(report, args.verbose)
        if not args.json:
            print(text, flush=True)
    if args.json:
        whole = {
            "ok": not counts["different"] + counts["unusable"],
            **{key.replace(" ", "_"): number for key, number in counts.items()},
            "note": found.note(),
        }
        print(json.dumps(whole | {"fixtures": entries}))
    else:
        mode = "layer by layer" if args.isolate else "whole"
        totals = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        print("\n".join(filter(None, (found.note(), f"{len(entries)} fixture(s), {mode}: {totals}"))))
    return 2 if counts["unusable"] else 1 if counts["different"] else 0


def _prefixed(path: Path, text: str) -> str:
    return text if text.startswith(str(path)) else f"{path}: {text}"


def _as_json(report: Report) -> dict[str, object]:
    # JSON knows no infinity: what differs from a blob of zeros has no relative difference.
    blobs = [asdict(r) | {"relative": r.relative if isfinite(r.relative) else None} for r in report.results]
    told = {"path": str(report.fixture.path), "ok": report.ok, "outcome": report.outcome, "notes": report.notes}
    return told | {"ties": [asdict(tie) for tie in report.ties], "blobs": blobs}


def _as_text(report: Report, verbose: bool) -> str:
    bad = [result for result in report.results if not result.ok]
    head = f"{report.fixture.path}: {len(report.results)} blobs"
    if bad:
        lines = [f"DIFFER {head}, {len(bad)} differ"]
    elif report.ties:
        lines = [f"same but for ties {report.fixture.path}: {report.ties[0]}"]
    else:
        worst = f", worst {report.worst.key} {report.worst.relative:.1e}" if report.results else ""
        lines = [f"same   {head}{worst}"]
    shown = report.results if verbose else bad[:_SHOWN]
    lines += [f"         {'' if result.ok or not verbose else 'DIFFER '}{result}" for result in shown]
    if len(bad) > len(shown):
        lines.append(f"         and {len(bad) - len(shown)} more (--verbose shows all)")
    lines += [f"         tie: {tie}" for tie in report.ties[report.ok :]]
    return "\n".join(lines + [f"         note: {note}" for note in report.notes])
