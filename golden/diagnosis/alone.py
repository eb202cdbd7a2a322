"""Each layer by itself: fed golden blobs and golden diffs, compared, and blamed for what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from ...layers import LayerError
from ...prototxt import PrototxtError
from ...prototxt.net import Net
from ..compare import BlobResult, compare_blob
from ..fixture import Fixture
from ..run import Report, compare_run, discrete_blobs, limits, runs
from .describer import Describer, wanted
from .differences import FieldDifference, ParamDifference
from .explain import Known, explain
from .findings import Blame, BlobFinding, Cause
from .pieces import Ran, golden_blobs, run_pieces
from .subject import Subject


@dataclass
class IsolatedFindings:
    """What was found; blames come forward first, in the net's order, then backward, in backward's."""

    findings: list[BlobFinding] = field(default_factory=list)
    blames: list[Blame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run_alone(
    subject: Subject,
    net: Net,
    reference: Net,
    fixture: Fixture,
    describer: Describer,
    fields: Sequence[FieldDifference],
    params: Sequence[ParamDifference],
    tolerance: float | None,
) -> IsolatedFindings:
    """Run and compare every piece of a net between golden blobs."""
    forward = _Forward(net, reference, fixture, describer, fields, params, tolerance)
    alone = forward.run()
    if fixture.has_backward and forward.fits:
        net = subject.anew(net, fixture)
        _run_backward(net, fixture, describer, fields, tolerance, alone, forward.blamed)
    elif fixture.has_backward:
        alone.notes.append("diffs were not compared layer by layer: golden blobs do not fit every layer")
    return alone


class _Forward:
    """The pieces of a net, run one after another, and the layers that they blame."""

    def __init__(
        self,
        net: Net,
        reference: Net,
        fixture: Fixture,
        describer: Describer,
        fields: Sequence[FieldDifference],
        params: Sequence[ParamDifference],
        tolerance: float | None,
    ) -> None:
        self.net, self.fixture, self.describer = net, fixture, describer
        allowed = limits(self.net, True, tolerance)[0]
        self.known = Known(reference, fixture.params, fields, params, discrete_blobs(self.net), allowed)
        self.alone = IsolatedFindings()
        self.fits = True
        """Whether every layer could be fed golden blobs and gave blobs of the golden's shapes."""
        self.blamed: set[int] = set()
        """The positions of the layers of pieces that differ: what they hand down may differ for that alone."""

    def run(self) -> IsolatedFindings:
        """Every forward of the fixture."""
        report = Report(self.fixture)
        for run, top in runs(self.net, self.fixture, report):
            golden, fed = golden_blobs(self.net, run)
            expected = {*run.tops, *(f"version/{blob}/{number}" for blob, number in run.versions)}
            bad = []
            for ran in run_pieces(self.net, golden, fed, run.rng):
                self._draws(run, ran)
                found = [self._finding(ran, top, blob) for blob in ran.piece.tops if blob in expected]
                self.alone.findings += found
                if wrong := [finding for finding in found if not finding.result.ok]:
                    bad.append((ran, wrong))
            self._post(run)
            if bad:
                Subject().fill(self.known.reference, self.fixture)
            self.alone.blames += [self._blame(ran, wrong) for ran, wrong in bad]
        self.alone.findings += [BlobFinding(result, "") for result in report.results]
        self.alone.notes += report.notes
        return self.alone

    def _finding(self, ran: Ran, top: str, blob: str) -> BlobFinding:
        have, want = ran.tops.get(blob), ran.golden[blob].numpy()
        key = blob if blob.startswith("version/") else f"{top}/{blob}"
        result = compare_blob(key, want, have, self.known.allowed, exact=blob in self.known.discrete)
        if ran.problem:
            result = replace(result, detail=f"cannot be computed from golden blobs: {ran.problem}")
        self.fits &= result.problem in ("", "values")
        return self.describer.finding(result, want, have)

    def _draws(self, run: Fixture, ran: Ran) -> None:
        """The random generator before a layer, where the golden has its state."""
        for name in (self.net.steps[i].node.name for i in ran.piece.layers):
            if name in run.rng:
                result = compare_blob(f"rng/{name}", run.rng[name], ran.left.words, 0.0, exact=True)
                self.alone.findings.append(BlobFinding(result, name))

    def _post(self, run: Fixture) -> None:
        for (layer, index), want in run.post.items():
            params = self.net.layer(layer).params if layer in self.net.layers else []
            have = params[index].detach() if index < len(params) else None
            result = compare_blob(f"post/{layer}/{index}", want, have, self.known.allowed)
            self.alone.findings.append(self.describer.finding(result, want, have))

    def _blame(self, ran: Ran, wrong: Sequence[BlobFinding]) -> Blame:
        layer, causes = explain(ran, self.known)
        self.blamed.update(ran.piece.layers)
        names = [self.net.steps[i].node.name for i in ran.piece.layers if not self.net.steps[i].node.inserted]
        made = self.net if layer in self.net.layers else self.known.reference
        node = next(node for node in made.nodes if node.name == layer)
        beside = tuple(name for name in names if name != layer)
        keys = tuple(finding.result.key for finding in wrong)
        return Blame(layer, node.type, node.where, False, keys, beside, str(wrong[0]), tuple(causes))


def _run_backward(
    net: Net,
    fixture: Fixture,
    describer: Describer,
    fields: Sequence[FieldDifference],
    tolerance: float | None,
    alone: IsolatedFindings,
    blamed: Collection[int],
) -> None:
    """Backward from golden diffs: a layer's diffs are its own doing."""
    report = Report(fixture)
    try:
        compare_run(net, fixture, True, report, tolerance=tolerance)
    except (PrototxtError, LayerError) as error:
        alone.notes.append(f"diffs were not compared layer by layer: {error}")
        return
    results = [result for result in report.results if result.kind in ("diff", "param_diff")]
    findings = [describer.finding(r, wanted(fixture, r.key), report.ours.get(r.key)) for r in results]
    alone.findings += findings
    wrong: dict[int, list[BlobFinding]] = {}
    for finding in findings:
        if not finding.result.ok and not _follows(net, finding.result, blamed):
            wrong.setdefault(_giver(net, describer, finding.result, fields), []).append(finding)
    for position in sorted(wrong, reverse=True):
        alone.blames.append(_blame_backward(net, position, describer, wrong[position], fields))


def _follows(net: Net, result: BlobResult, blamed: Collection[int]) -> bool:
    """Whether a diff passes through layers that give other blobs already."""
    name = result.key.partition("/")[2]
    layer = name.rpartition("/")[0] if result.kind == "param_diff" else None
    nodes = [net.steps[i].node for i in blamed]
    return any(node.name == layer if layer is not None else name in (*node.tops, *node.bottoms) for node in nodes)


def _giver(net: Net, describer: Describer, result: BlobResult, fields: Sequence[FieldDifference]) -> int:
    """The position of the layer that gives a diff: its param's, or the blob's reader, or a loss's own."""
    name = result.key.partition("/")[2]
    positions = {node.name: i for i, node in reversed(list(enumerate(net.nodes)))}
    if result.kind == "param_diff":
        return positions.get(name.rpartition("/")[0], 0)
    readers = describer.readers(name)
    told = {difference.layer for difference in fields}
    makers = [i for i, node in enumerate(net.nodes) if name in node.tops]
    return next((i for i in readers if net.steps[i].node.name in told), next(iter(readers or makers), 0))


def _blame_backward(
    net: Net, position: int, describer: Describer, wrong: Sequence[BlobFinding], fields: Sequence[FieldDifference]
) -> Blame:
    node, first = net.steps[position].node, wrong[0].result
    causes = [
        Cause("prototxt", node.name, str(difference), first.relative, None, first.allowed)
        for difference in fields
        if difference.layer == node.name
    ]
    keys = tuple(finding.result.key for finding in wrong)
    readers = describer.readers(first.key.partition("/")[2]) if first.kind == "diff" else []
    beside = tuple(net.steps[i].node.name for i in readers if i != position)
    return Blame(node.name, node.type, node.where, True, keys, beside, str(wrong[0]), tuple(causes))
