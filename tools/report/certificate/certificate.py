"""A certificate: what many runs together say, as a document's parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....golden.diagnosis import NEAR, ClassMatch, Single
from ..html import Heading, Paragraph, Passage, Table
from .run import CertificateRun

_SHOWN = 200


@dataclass(frozen=True)
class Certificate:
    """Runs in the order asked for; `errors` are those that could not be run, by path."""

    runs: Sequence[CertificateRun]
    errors: dict[str, str]
    names: Sequence[str]
    """Of classes."""

    @property
    def ok(self) -> bool:
        """Whether every run is the golden's."""
        return not self.errors and all(run.ok for run in self.runs)

    @property
    def verdict(self) -> str:
        """The answer in one line."""
        count = len(self.runs) + len(self.errors)
        if self.ok:
            tied = sum(run.tied for run in self.runs)
            ties = f", {tied} the same but for the order of equal scores" if tied else ""
            blobs = sum(run.blobs for run in self.runs)
            return f"Identical within tolerance: {count} run(s){ties}, {blobs} blobs compared"
        bad = [run for run in self.runs if not run.ok]
        told = f"{len(bad)} of {count} run(s) differ" if bad else ""
        unusable = f"{len(self.errors)} of {count} run(s) cannot be used" if self.errors else ""
        return f"Differs: {', '.join(filter(None, (told, unusable)))}"

    @property
    def worst(self) -> CertificateRun | None:
        """The run that is farthest from the golden's: blobs first, then detections without a partner."""
        return max(self.runs, key=_badness, default=None)

    @property
    def worst_case(self) -> str:
        """That run in one line; empty if there is none."""
        run = self.worst
        return f"{run.path}: {run.verdict}; {_worst_blob(run)}; {_found(run)}" if run is not None else ""

    def classes(self) -> list[ClassMatch]:
        """All runs' matches, class by class."""
        found: dict[int, list[ClassMatch]] = defaultdict(list)
        for run in self.runs:
            for match in run.detections.classes if run.detections else ():
                found[match.label].append(match)
        return [_summed(label, found[label]) for label in sorted(found)]

    def passages(self) -> Iterator[Passage]:
        """Totals, the worst case, classes, detections without a partner, every run."""
        yield Table("Totals", ("what", "number"), list(self._totals()))
        if self.worst is not None:
            yield Heading("The worst case")
            yield Paragraph(self.worst_case)
        if classes := self.classes():
            yield Heading("Detections by class")
            columns = ("class", "golden", "ours", "matched", "farthest px", "score difference", "near threshold")
            yield Table("Matched by class and overlap", columns, [self._class_row(match) for match in classes])
        yield from self._partnerless()
        yield Heading("Runs")
        columns = ("run", "answer", "blobs that differ", "worst blob", "detections", "verdict", "SHA-256")
        rows = [_run_row(run) for run in self.runs]
        rows += [(path, "unusable", "", "", "", error, "") for path, error in self.errors.items()]
        yield Table("Every run", columns, rows)

    def _totals(self) -> Iterator[tuple[str, str]]:
        yield "runs", str(len(self.runs) + len(self.errors))
        yield "runs that are the golden's", str(sum(run.ok for run in self.runs))
        yield "runs that are so but for the order of equal scores", str(sum(run.tied for run in self.runs))
        yield "blobs compared", str(sum(run.blobs for run in self.runs))
        yield "blobs that differ", str(sum(run.different for run in self.runs))
        classes = self.classes()
        if not any(run.detections for run in self.runs):
            yield "detections", "none: the nets are no detectors"
            return
        singles = [single for run in self.runs for single in (run.detections.singles if run.detections else ())]
        yield "detections, golden", str(sum(match.golden for match in classes))
        yield "detections, ours", str(sum(match.ours for match in classes))
        yield "lost", str(sum(single.side == "golden" for single in singles))
        yield "added", str(sum(single.side == "ours" for single in singles))
        yield "farthest that a corner moved", f"{max((match.pixels for match in classes), default=0):.3g} px"
        yield "largest difference of scores", f"{max((match.score for match in classes), default=0):.3g}"
        yield f"detections within {NEAR:g} of the threshold", str(sum(match.near for match in classes))
        margins = [run.margin for run in self.runs if run.margin is not None]
        yield "nearest that a score comes to the threshold", f"{min(margins):.3g}" if margins else "no threshold"

    def _class_row(self, match: ClassMatch) -> tuple[str, ...]:
        counts = (str(match.golden), str(match.ours), str(match.matched))
        return (self.names[match.label], *counts, f"{match.pixels:.3g}", f"{match.score:.3g}", str(match.near))

    def _partnerless(self) -> Iterator[Passage]:
        pairs = [(run, single) for run in self.runs if run.detections for single in run.detections.singles]
        if not pairs:
            return
        yield Heading("Lost and added detections")
        columns = ("run", "what", "class", "score", "box", "nearest overlap", "near threshold")
        rows = [(run.path, *self._single(single)) for run, single in pairs[:_SHOWN]]
        yield Table("Detections that one side has alone", columns, rows)
        if len(pairs) > _SHOWN:
            yield Paragraph(f"And {len(pairs) - _SHOWN} more; the result as JSON has all.")

    def _single(self, single: Single) -> tuple[str, ...]:
        what = "lost" if single.side == "golden" else "added"
        box = " ".join(f"{corner:.1f}" for corner in single.box)
        told = (f"{single.score:.6g}", box, f"{single.nearest:.2f}", f"within {NEAR:g}" if single.near else "no")
        return (what, self.names[single.label], *told)


def _badness(run: CertificateRun) -> tuple[bool, int, float]:
    singles = len(run.detections.singles) if run.detections else 0
    return not run.ok, singles, float("inf") if run.excess is None else run.excess


def _summed(label: int, matches: Sequence[ClassMatch]) -> ClassMatch:
    """Counts added up, the largest of what lies apart."""
    return ClassMatch(
        label,
        golden=sum(match.golden for match in matches),
        ours=sum(match.ours for match in matches),
        matched=sum(match.matched for match in matches),
        pixels=max(match.pixels for match in matches),
        score=max(match.score for match in matches),
        near=sum(match.near for match in matches),
    )


def _worst_blob(run: CertificateRun) -> str:
    if not run.worst:
        return "nothing to compute"
    by = "more than any factor of" if run.excess is None else f"{run.excess:.2g} times"
    return f"{run.worst} differs most, by {by} what is allowed"


def _found(run: CertificateRun) -> str:
    """A run's detections in a few words."""
    if run.detections is None:
        return "no detector"
    golden = sum(match.golden for match in run.detections.classes)
    lost = sum(single.side == "golden" for single in run.detections.singles)
    added = len(run.detections.singles) - lost
    return f"{golden} detections, {lost} lost, {added} added"


def _run_row(run: CertificateRun) -> tuple[str, ...]:
    answer = ("identical but for ties" if run.tied else "identical") if run.ok else "differs"
    excess = "" if not run.worst else "∞" if run.excess is None else f"{run.excess:.2g} of allowed"
    worst = f"{run.worst}: {excess}" if run.worst else ""
    return (run.path, answer, f"{run.different} of {run.blobs}", worst, _found(run), run.verdict, run.sha256)
