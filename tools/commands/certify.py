"""`recaffe certify`: hold a net and its weights against the golden blobs of many images, and write a certificate.

Every run is compared blob by blob, in use and layer by layer, and so are the detections made of it, matched by class
and overlap. NAME.md and NAME.html are written; results go into NAME.runs as they come, by the hashes of all that they
depend on, so that a command which was interrupted goes on. Exit status 0: identical; 1: it differs; 2: a run cannot be
used.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path

from .arguments import add_sides, files_of, subject_of, told, told_command

NAME = "certify"
HELP = "certify a net against golden blobs and detections of many images"
_DECIDE = ("tolerance", "phase", "level", "stage", "variant", "set", "faithful_inplace", "thresh", "max_per_image")
"""Options that a run's result depends on."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_sides(parser, "RUNS")
    parser.add_argument("--thresh", type=float, help="the least score of a detection (default the originals')")
    parser.add_argument(
        "--max-per-image", type=int, metavar="N", help="the most detections of an image (default the originals')"
    )
    parser.add_argument("--classes", metavar="WORD", help="voc, coco, names with commas between, or a file of names")
    parser.add_argument(
        "--output", default="certificate", metavar="NAME", help="write NAME.md and NAME.html (default certificate)"
    )
    parser.add_argument("--force", action="store_true", help="replace them if they are there")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Certify, and print the verdict."""
    from ...golden.diagnosis import as_json
    from ...golden.fixture import find
    from ...prototxt.files import whole_file
    from ..detection import class_names
    from ..report import Certificate, Certification, certificate_texts

    found = find(args.golden)
    with ExitStack() as stack:
        names = [f"{args.output}{suffix}" for suffix in (".md", ".html")]
        parts = [stack.enter_context(whole_file(name, args.force)) for name in names]
        subject, folder, settings = subject_of(args), Path(f"{args.output}.runs"), _settings(args)
        work = Certification(subject, folder, settings, args.tolerance, args.thresh, args.max_per_image)
        work.run(found.fixtures)
        errors = {path: told(error, args.flags) for path, error in work.errors.items()}
        classes = class_names(args.classes, work.classes) if work.classes else ()
        certificate = Certificate(work.runs, errors, classes)
        usable = [path for path in found.fixtures if str(path) not in errors]
        texts = certificate_texts(certificate, told_command(args.words), list(files_of(args, usable)))
        for part, text in zip(parts, texts, strict=True):
            part.write_text(text, encoding="utf-8")
    if args.json:
        answer = {"ok": certificate.ok, "verdict": certificate.verdict, "note": found.note(), "files": names}
        print(json.dumps(answer | {"runs": as_json(list(certificate.runs)), "errors": errors}))
    else:
        worst = certificate.worst_case and f"worst: {certificate.worst_case}"
        lines = (f"error  {path}: {error}" for path, error in errors.items())
        print("\n".join(filter(None, (*lines, found.note(), certificate.verdict, worst, f"wrote {', '.join(names)}"))))
    return 2 if errors else 0 if certificate.ok else 1


def _settings(args: argparse.Namespace) -> list[object]:
    """What all results depend on: the files, whose net and weights are the fixtures' own, options."""
    from ..report import sha256

    files = [sha256(path) for path in files_of(args, [])]
    return [files, [word == "-" for word in (args.net, args.weights)], [getattr(args, name) for name in _DECIDE]]
