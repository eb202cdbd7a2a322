"""`recaffe compare`: find where a net with its weights first differs from golden blobs, whose doing it is, and why.

The net is run as in use, errors adding up from layer to layer, and layer by layer, each fed the golden's own blobs.
Exit status 0: all the same; 1: something differs; 2: a file cannot be used.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ...golden import Fixture, GoldenError, find
from ...golden.diagnosis import Comparison, Options, Subject, as_json, compare_fixture
from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.files import read_weights, whole_file
from ...prototxt.text import read_net
from ..report import Document, as_text
from .arguments import add_config, changed_config

NAME = "compare"
HELP = "find the first layer that differs from golden blobs, and the cause"
_OWN = "-"


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


def add_sides(parser: argparse.ArgumentParser, runs: str) -> None:
    """Add what is held against what, and how."""
    parser.add_argument("net", metavar="NET", help="the net's prototxt; - for each fixture's own")
    parser.add_argument("weights", metavar="WEIGHTS", help="its weights, in any format; - for each fixture's own")
    parser.add_argument("golden", nargs="+", metavar=runs, help="fixtures (.npz) or folders of them")
    parser.add_argument(
        "--tolerance",
        type=float,
        metavar="T",
        help="what is allowed, in parts of a blob's largest magnitude (default 1e-5 for a layer forward, else 1e-4)",
    )
    parser.add_argument("--phase", choices=("TEST", "TRAIN"), help="the phase (default the fixture's)")
    parser.add_argument("--level", type=int, default=0, help="the level that include and exclude rules see (default 0)")
    parser.add_argument("--stage", action="append", default=[], help="a stage that they see; may be given again")
    add_config(parser, "the fixture's")


def run(args: argparse.Namespace) -> int:
    """Compare with each fixture in turn."""
    found, subject = find(args.golden), subject_of(args, args.until)
    options = Options(chain=not args.isolate, isolate=not args.chain, tolerance=args.tolerance)
    counts = {"same": 0, "different": 0, "unusable": 0}
    entries: list[object] = []
    with ExitStack() as stack:
        part = stack.enter_context(whole_file(args.html, args.force)) if args.html else None
        report = Document("Compared with golden blobs") if args.html else None
        for path in found.fixtures:
            try:
                comparison = _compare(subject, path, options, report)
            except (GoldenError, PrototxtError, LayerError) as error:
                counts["unusable"] += 1
                entries.append({"path": str(path), "error": str(error)})
                text = f"error  {path}: {error}"
                if report is not None:
                    report.add_unusable(str(path), str(error))
            else:
                counts["same" if comparison.ok else "different"] += 1
                entries.append({"ok": comparison.ok, **as_json(comparison)})
                text = as_text(comparison, args.verbose)
            if not args.json:
                print(text, flush=True)
        if part is not None and report is not None:
            part.write_text(report.html(args.words, files_of(args, found.fixtures)), encoding="utf-8")
    if args.json:
        print(json.dumps({"ok": counts["same"] == len(entries), **counts, "note": found.note(), "fixtures": entries}))
    else:
        totals = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        written = f"report: {args.html}" if args.html else ""
        print("\n".join(filter(None, (found.note(), f"{len(entries)} fixture(s): {totals}", written))))
    return 2 if counts["unusable"] else 1 if counts["different"] else 0


def _compare(subject: Subject, path: Path, options: Options, report: Document | None) -> Comparison:
    """Compare with one fixture, and draw what is compared if there is a report."""
    fixture = Fixture.load(path)
    if report is None:
        return compare_fixture(subject, fixture, options)
    net, gallery = report.gallery(subject, fixture)
    comparison = compare_fixture(subject, fixture, options, gallery)
    report.add(comparison, fixture, net, gallery)
    return comparison


def subject_of(args: argparse.Namespace, until: str = "") -> Subject:
    """Our side, as `add_sides` has it."""
    return Subject(
        text=None if args.net == _OWN else read_net(args.net),
        weights=None if args.weights == _OWN else read_weights(args.weights),
        phase=args.phase,
        configure=partial(changed_config, args),
        level=args.level,
        stages=tuple(args.stage),
        until=until,
    )


def files_of(args: argparse.Namespace, fixtures: list[Path]) -> Iterator[Path]:
    """Every file that a comparison hangs on."""
    yield from (Path(word) for word in (args.net, args.weights) if word != _OWN)
    yield from map(Path, args.cfg)
    for path in fixtures:
        yield path
        yield from sorted(path.parent.glob(f"{path.stem}_iter_*"))  # a trace goes on from snapshots
