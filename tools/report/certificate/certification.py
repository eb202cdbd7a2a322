"""The course of a certification: run after run, each kept when it is done, so that one that was stopped goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from ....golden import GoldenError, Subject
from ....golden.diagnosis import Options
from ....layers import LayerError
from ....prototxt import PrototxtError
from ..comparison import page
from ..environment import environment, golden_environment, sha256, sources_digest
from ..errors import ReportError
from ..html import Heading, Passage, as_html, as_markdown, element
from ..installation import examine
from .certificate import Certificate
from .run import CertificateRun, certify_run, key_of, load_run, save_run

_TITLE = "Certificate"


@dataclass
class Certification:
    """Certifies runs of a net; results are kept in `folder`.

    `settings` are what a result depends on beside the runs themselves, recaffe and its versions.
    """

    subject: Subject
    folder: Path
    settings: Sequence[object]
    tolerance: float | None = None
    thresh: float | None = None
    max_per_image: int | None = None
    runs: list[CertificateRun] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)

    def run(self, paths: Sequence[Path]) -> None:
        """Certify every run; those from before are read back."""
        common = [*self.settings, examine()["versions"], sources_digest()]
        try:
            for path in tqdm(paths, unit="run", file=sys.stderr, disable=None):
                self._run(path, common)
        except KeyboardInterrupt:
            done = f"{len(self.runs)} of {len(paths)} runs are done and kept in {self.folder}"
            raise ReportError(f"interrupted: {done}; the same command goes on from there") from None

    def _run(self, path: Path, common: Sequence[object]) -> None:
        digest = sha256(path)
        file = self.folder / f"{key_of(common, digest)}.json"
        kept = load_run(file, path)
        if kept is None:
            options = Options(tolerance=self.tolerance)
            try:
                kept = certify_run(self.subject, path, digest, options, self.thresh, self.max_per_image)
            except (GoldenError, PrototxtError, LayerError) as error:
                self.errors[str(path)] = error
                return
            save_run(kept, file)
        self.runs.append(kept)

    @property
    def classes(self) -> int:
        """How many classes the net tells apart that tells most."""
        return max((run.classes for run in self.runs), default=0)


def certificate_texts(certificate: Certificate, command: str, files: Sequence[Path]) -> tuple[str, str]:
    """A certificate as Markdown and as HTML, with the environment, and those of the golden's machines, each once."""
    told: dict[str, list[Passage]] = {}
    for one in certificate.runs:
        told.setdefault(json.dumps(one.meta, sort_keys=True), golden_environment(one.path, one.meta))
    origins = (passage for passages in told.values() for passage in passages)
    passages = [*certificate.passages(), *environment(command, files), *origins]
    answer = [Heading(_TITLE, 1), Heading(certificate.verdict), *passages]
    return as_markdown(answer), _html(certificate, passages)


def _html(certificate: Certificate, passages: Sequence[Passage]) -> str:
    sign = "✓" if certificate.ok else "✖"
    answer = element("p", f"{sign} {certificate.verdict}", class_="answer")
    verdict = element("div", answer, class_=f"verdict {'good' if certificate.ok else 'bad'}")
    return page(_TITLE, [element("section", verdict, as_html(passages), class_="environment")])
