"""`recaffe certify`: hold a net and its weights against the golden blobs of many images, and write a certificate.

Every run is compared blob by blob, in use and layer by layer, and so are the detections made of it, matched by class
and overlap. NAME.md and NAME.html are written; results go into NAME.runs as they come, by the hashes of all that they
hang on, so that a command which was interrupted goes on. Exit status 0: identical; 1: it differs; 2: a run cannot be
used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from ...golden import GoldenError, find
from ...golden.diagnosis import Options, Subject, as_json
from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.files import whole_file
from ..detection import class_names
from ..errors import CommandError
from ..report import (
    Certificate,
    CertificateRun,
    Heading,
    Passage,
    as_html,
    as_markdown,
    certify_run,
    element,
    environment,
    golden_environment,
    key_of,
    load_run,
    page,
    save_run,
    sha256,
    sources_digest,
)
from .compare import add_sides, files_of, subject_of
from .doctor import examine

NAME = "certify"
HELP = "certify a net against golden blobs and detections of many images"
_DECIDE = ("tolerance", "phase", "level", "stage", "variant", "set", "thresh", "max_per_image")
"""Options that a run's result hangs on."""


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
    found = find(args.golden)
    with ExitStack() as stack:
        names = [f"{args.output}{suffix}" for suffix in (".md", ".html")]
        parts = [stack.enter_context(whole_file(name, args.force)) for name in names]
        certificate = _Work(args, found.fixtures).certificate()
        passages = [*certificate.passages(), *_origins(args, certificate, found.fixtures)]
        title = "Certificate"
        answer = [Heading(title, 1), Heading(certificate.verdict), *passages]
        parts[0].write_text(as_markdown(answer), encoding="utf-8")
        parts[1].write_text(_html(title, certificate, passages), encoding="utf-8")
    if args.json:
        told = {"ok": certificate.ok, "verdict": certificate.verdict, "note": found.note(), "files": names}
        print(json.dumps(told | {"runs": as_json(list(certificate.runs)), "errors": certificate.errors}))
    else:
        worst = certificate.worst_case and f"worst: {certificate.worst_case}"
        errors = [f"error  {path}: {error}" for path, error in certificate.errors.items()]
        print("\n".join(filter(None, (*errors, found.note(), certificate.verdict, worst, f"wrote {', '.join(names)}"))))
    return 2 if certificate.errors else 0 if certificate.ok else 1


@dataclass
class _Work:
    """Certifies run after run, and keeps what is done."""

    args: argparse.Namespace
    paths: Sequence[Path]
    runs: list[CertificateRun] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def certificate(self) -> Certificate:
        """Every run, those from before read back."""
        subject, folder = subject_of(self.args), Path(f"{self.args.output}.runs")
        common = self._common()
        try:
            for path in tqdm(self.paths, unit="run", file=sys.stderr, disable=None):
                self._run(subject, path, folder, common)
        except KeyboardInterrupt:
            done = f"{len(self.runs)} of {len(self.paths)} runs are done and kept in {folder}"
            raise CommandError(f"interrupted: {done}; the same command goes on from there") from None
        return Certificate(self.runs, self.errors, self._names())

    def _common(self) -> list[object]:
        """What all results hang on."""
        args = self.args
        files = [sha256(path) for path in files_of(args, [])]
        sides = [word == "-" for word in (args.net, args.weights)]
        options = [getattr(args, name) for name in _DECIDE]
        return [files, sides, options, examine()["versions"], sources_digest()]

    def _run(self, subject: Subject, path: Path, folder: Path, common: Sequence[object]) -> None:
        digest = sha256(path)
        file = folder / f"{key_of(common, digest)}.json"
        kept = load_run(file, path)
        if kept is None:
            options = Options(tolerance=self.args.tolerance)
            try:
                kept = certify_run(subject, path, digest, options, self.args.thresh, self.args.max_per_image)
            except (GoldenError, PrototxtError, LayerError) as error:
                self.errors[str(path)] = str(error)
                return
            save_run(kept, file)
        self.runs.append(kept)

    def _names(self) -> tuple[str, ...]:
        """The names of the classes of the net that tells most of them apart."""
        count = max((run.classes for run in self.runs), default=0)
        return class_names(self.args.classes, count) if count else ()


def _origins(args: argparse.Namespace, certificate: Certificate, fixtures: list[Path]) -> list[Passage]:
    """The environment, and those of the golden's machines, each once."""
    told: dict[str, list[Passage]] = {}
    for one in certificate.runs:
        told.setdefault(json.dumps(one.meta, sort_keys=True), golden_environment(one.path, one.meta))
    usable = [path for path in fixtures if str(path) not in certificate.errors]
    return [
        *environment(args.words, files_of(args, usable)),
        *(passage for passages in told.values() for passage in passages),
    ]


def _html(title: str, certificate: Certificate, passages: Sequence[Passage]) -> str:
    sign = "✓" if certificate.ok else "✖"
    answer = element("p", f"{sign} {certificate.verdict}", class_="answer")
    verdict = element("div", answer, class_=f"verdict {'good' if certificate.ok else 'bad'}")
    return page(title, [element("section", verdict, as_html(passages), class_="environment")])
