"""Each layer by itself: fed golden blobs and golden diffs, compared, and blamed for what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.net import Net
from ..compare import BlobResult
from ..fixture import Fixture
from ..isolate import isolation_of
from ..limits import discrete_blobs, limits
from ..run import Report, compare_result, compare_run, runs
from ..run_result import RunResult
from ..subject import Subject
from .describer import Describer
from .differences import FieldDifference, ParamDifference
from .explain import Known, explain
from .findings import Blame, BlobFinding, Cause
from .pieces import PieceRun, run_pieces


@dataclass
class Blamer:
    """Runs the pieces of a net between golden blobs, and names the layers that do wrong with the causes it finds."""

    subject: Subject
    net: Net
    reference: Net
    """The golden's own net."""
    fixture: Fixture
    describer: Describer
    fields: Sequence[FieldDifference]
    params: Sequence[ParamDifference]
    tolerance: float | None
    findings: list[BlobFinding] = field(default_factory=list)
    blames: list[Blame] = field(default_factory=list)
    """Forward first, in the net's order, then backward, in backward's."""
    notes: list[str] = field(default_factory=list)
    _fits: bool = True
    """Whether every layer could be fed golden blobs and gave blobs of the golden's shapes."""
    _wrong: set[int] = field(default_factory=set)
    """The positions of the layers of pieces that differ: what they hand down may differ for that alone."""

    def run(self) -> None:
        """Every forward of the fixture, and its backward."""
        allowed = limits(self.net, True, self.tolerance)[0]
        discrete = discrete_blobs(self.net)
        known = Known(self.reference, self.fixture.params, self.fields, self.params, discrete, allowed)
        report = Report(self.fixture)
        for run, top in runs(self.net, self.fixture, report):
            self._forward(run, top, known)
        self.findings += [BlobFinding(result, "") for result in report.results]
        self.notes += report.notes
        if self.fixture.has_backward and self._fits:
            self.net = self.subject.anew(self.net, self.fixture)
            self._backward()
        elif self.fixture.has_backward:
            self.notes.append("diffs were not compared layer by layer: golden blobs do not fit every layer")

    def _forward(self, run: Fixture, top: str, known: Known) -> None:
        isolation = isolation_of(self.net, run)
        pieces = run_pieces(isolation)
        tops = {name: blob for piece in pieces for name, blob in piece.tops.items()}
        result = RunResult(tops, rng=isolation.words)
        expected = replace(run, diffs={}, param_diffs={})
        compared = compare_result(self.net, expected, result, True, top, self.tolerance)
        wrong = self._find(compared, pieces, top)
        if wrong:
            Subject().fill(self.reference, self.fixture)
        self.blames += [self._blame(pieces[i], wrong[i], known) for i in sorted(wrong)]

    def _find(self, compared: Report, pieces: Sequence[PieceRun], top: str) -> dict[int, list[BlobFinding]]:
        """Keep every finding; gives those that differ by the piece that made the blob."""
        makers = {
            name if name.startswith("version/") else f"{top}/{name}": i
            for i, piece in enumerate(pieces)
            for name in piece.piece.tops
        }
        wrong: dict[int, list[BlobFinding]] = {}
        for result in sorted(compared.results, key=lambda result: makers.get(result.key, len(pieces))):
            i = makers.get(result.key)
            if i is None and result.problem == "missing" and result.kind != "post":
                continue  # what the net has not got is a finding of names
            if i is not None and pieces[i].problem:
                result = replace(result, detail=f"cannot be computed from golden blobs: {pieces[i].problem}")
            self.findings.append(self.describer.finding(result, *compared.values[result.key]))
            if i is not None and not result.ok:
                wrong.setdefault(i, []).append(self.findings[-1])
                self._fits &= result.problem == "values"
        return wrong

    def _blame(self, run: PieceRun, wrong: Sequence[BlobFinding], known: Known) -> Blame:
        layer, causes = explain(run, known)
        self._wrong.update(run.piece.layers)
        nodes = [self.net.steps[i].node for i in run.piece.layers]
        made = self.net if layer in self.net.layers else self.reference
        node = next(node for node in made.nodes if node.name == layer)
        beside = tuple(node.name for node in nodes if not node.inserted and node.name != layer)
        keys = tuple(finding.result.key for finding in wrong)
        return Blame(layer, node.type, node.where, False, keys, beside, str(wrong[0]), tuple(causes))

    def _backward(self) -> None:
        """Backward from golden diffs: a layer's diffs are its own doing."""
        try:
            build = partial(self.subject.filled, self.fixture)
            report = compare_run(self.net, self.fixture, True, tolerance=self.tolerance, build=build)
        except (PrototxtError, LayerError) as error:
            self.notes.append(f"diffs were not compared layer by layer: {error}")
            return
        self.notes += report.notes
        results = [result for result in report.results if result.kind in ("diff", "param_diff")]
        findings = [self.describer.finding(result, *report.values[result.key]) for result in results]
        self.findings += findings
        wrong: dict[int, list[BlobFinding]] = {}
        for finding in findings:
            if not finding.result.ok and not self._follows(finding.result):
                wrong.setdefault(self._giver(finding.result), []).append(finding)
        self.blames += [self._blame_backward(position, wrong[position]) for position in sorted(wrong, reverse=True)]

    def _follows(self, result: BlobResult) -> bool:
        """Whether a diff passes through layers that give other blobs already."""
        name = result.key.partition("/")[2]
        layer = name.rpartition("/")[0] if result.kind == "param_diff" else None
        nodes = [self.net.steps[i].node for i in self._wrong]
        return any(node.name == layer if layer is not None else name in (*node.tops, *node.bottoms) for node in nodes)

    def _giver(self, result: BlobResult) -> int:
        """The position of the layer that gives a diff: its param's, or the blob's reader, or a loss's own."""
        name = result.key.partition("/")[2]
        nodes = self.net.nodes
        if result.kind == "param_diff":
            return next((i for i, node in enumerate(nodes) if node.name == name.rpartition("/")[0]), 0)
        readers = self.describer.readers(name)
        told = {difference.layer for difference in self.fields}
        makers = [i for i, node in enumerate(nodes) if name in node.tops]
        return next((i for i in readers if nodes[i].name in told), next(iter(readers or makers), 0))

    def _blame_backward(self, position: int, wrong: Sequence[BlobFinding]) -> Blame:
        node, first = self.net.steps[position].node, wrong[0].result
        causes = [
            Cause("prototxt", node.name, str(difference), first.relative, None, first.allowed)
            for difference in self.fields
            if difference.layer == node.name
        ]
        keys = tuple(finding.result.key for finding in wrong)
        readers = self.describer.readers(first.key.partition("/")[2]) if first.kind == "diff" else []
        beside = tuple(self.net.steps[i].node.name for i in readers if i != position)
        return Blame(node.name, node.type, node.where, True, keys, beside, str(wrong[0]), tuple(causes))
