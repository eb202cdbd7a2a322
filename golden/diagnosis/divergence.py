"""A net and its weights held against a fixture: what differs first, whose doing it is, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy.typing as npt

from ...layers import LayerError, ProposalLayer
from ...prototxt import PrototxtError
from ...prototxt.net import Match, Net, inplace_hazards
from ..compare import BlobResult
from ..fixture import Fixture
from ..isolate import isolation_of
from ..run import Report, compare_run, runs
from ..subject import Subject
from ..ties import Tie
from ..trace import compare_trace
from .blame import Blamer
from .describer import Describer
from .differences import compare_nets, compare_params
from .findings import BlobFinding, Comparison
from .language import Vocabulary
from .margins import Fate, fates
from .tipping import Tipped, tipped
from .verdict import decide

Array = npt.NDArray[Any]
Watch = Callable[[str, BlobFinding, Array | None, Array | None], None]
"""Is shown each finding of a mode (chain, isolated or trace) with the golden's values and ours, which are not kept."""


@dataclass(frozen=True)
class Options:
    """How to compare: the net as in use (chain), each layer by itself (isolate), or both."""

    chain: bool = True
    isolate: bool = True
    tolerance: float | None = None
    """Allowed in place of the usual, in parts of a blob's largest magnitude; params then need not be equal, either."""


@dataclass
class _Chain:
    """The net run as in use: what was found, and why it stopped, if so."""

    findings: list[BlobFinding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    trace: list[BlobResult] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    tipped: Tipped | None = None
    stopped: str = ""


def _ignore(mode: str, finding: BlobFinding, want: Array | None, have: Array | None) -> None:
    pass


def compare_fixture(
    subject: Subject, fixture: Fixture, options: Options = Options(), watch: Watch = _ignore
) -> Comparison:
    """Compare prototxts, params, and what the net computes."""
    reference, ours = Subject(until=subject.until).build(fixture), subject.build(fixture)
    fixture = _wanted(fixture, reference, ours, bool(subject.until))
    fields = compare_nets(reference, ours)
    match = subject.fill(ours, fixture)
    # What a blob means depends on the layers behind it, too.
    whole = replace(subject, until="").build(fixture) if subject.until else ours
    words = Vocabulary(whole)
    describer = Describer(ours, reference, words, partial(watch, "chain"))
    params = compare_params(ours, fixture.params, words, options.tolerance or 0.0)
    names = [*_names(reference, ours, fixture), *_unmatched(match, whole)]
    computed = not fixture.has_params_alone and not fixture.has_trace_alone
    chain = _run_chain(subject, ours, fixture, describer, options) if options.chain and computed else _Chain()
    describer = Describer(ours, reference, words, partial(watch, "isolated"))
    alone = Blamer(subject, ours, reference, fixture, describer, fields, params, options.tolerance)
    if options.isolate and computed:
        alone.net = subject.anew(ours, fixture)
        alone.run()
    if fixture.trace and options.chain and not subject.until:
        _train(subject, fixture, chain, watch)
    elif fixture.trace:
        chain.notes.append("the solver's steps were not run: they are part of the net as in use")
    found = Comparison(
        path=str(fixture.path),
        blames=tuple(alone.blames),
        fields=tuple(fields),
        params=tuple(params),
        names=tuple(names),
        chain=tuple(chain.findings),
        isolated=tuple(alone.findings),
        trace=tuple(chain.trace),
        fates=tuple(chain.fates),
        ties=tuple(chain.ties or alone.ties),
        tipped=chain.tipped,
        notes=tuple(dict.fromkeys([*inplace_hazards(ours.steps, ours.faithful_inplace), *chain.notes, *alone.notes])),
    )
    return replace(found, verdict=decide(found, chain.stopped, describer.decisions))


def _train(subject: Subject, fixture: Fixture, chain: _Chain, watch: Watch) -> None:
    """The solver's steps with our prototxt, params and config in place of the golden's."""
    try:
        trained = compare_trace(
            fixture, subject, lambda result, *values: watch("trace", BlobFinding(result, ""), *values)
        )
    except (PrototxtError, LayerError) as error:
        chain.stopped = chain.stopped or str(error)
        return
    chain.trace += trained.results
    chain.notes += trained.notes
    chain.tipped = tipped(fixture, subject, trained)


def _wanted(fixture: Fixture, reference: Net, ours: Net, until: bool) -> Fixture:
    """The fixture without blobs that our net is not fed, and of a net cut short without what lies behind."""
    sources = {top for node in ours.nodes if not node.bottoms for top in node.tops}
    fixture = replace(fixture, bottoms={name: blob for name, blob in fixture.bottoms.items() if name in sources})
    if not until:
        return fixture
    known = reference.blob_shapes
    return replace(
        fixture,
        tops={name: blob for name, blob in fixture.tops.items() if name in known},
        forwards=[{name: blob for name, blob in tops.items() if name in known} for tops in fixture.forwards],
        params={place: value for place, value in fixture.params.items() if place[0] in reference.param_shapes},
        diffs={},
        param_diffs={},
        top_diffs={},
        post={},
        versions={},
    )


def _names(reference: Net, ours: Net, fixture: Fixture) -> Iterator[str]:
    """Blobs that only one side has."""
    inserted = {top for net in (reference, ours) for node in net.nodes if node.inserted for top in node.tops}
    for theirs, mine, side in ((reference, ours, "golden"), (ours, reference, "NET")):
        for node in theirs.nodes:
            for top in dict.fromkeys(node.tops):
                if top not in mine.blob_shapes and top not in inserted and not node.overwrites(node.tops.index(top)):
                    yield f"blob {top!r} of layer {node.name!r} is in the {side} only"
    known = {**reference.blob_shapes, **ours.blob_shapes}
    for top in dict.fromkeys(name for tops in (fixture.tops, *fixture.forwards) for name in tops):
        if top not in known:
            yield f"blob {top!r} is in the golden only, which has no layer that gives it"


def _unmatched(match: Match | None, whole: Net) -> Iterator[str]:
    """Layers that only the net or only the file of weights has."""
    if match is not None:
        for name in match.missing:
            yield f"layer {name!r} is not in {match.path}: its params have their fillers' values"
        for name in match.unused:
            if name not in whole.layers:
                yield f"layer {name!r} of {match.path} is not in NET"


def _run_chain(subject: Subject, net: Net, fixture: Fixture, describer: Describer, options: Options) -> _Chain:
    chain, report = _Chain(), Report(fixture)
    try:
        for run, top in runs(net, fixture, report):
            one = compare_run(net, run, False, top, options.tolerance, partial(subject.filled, fixture))
            found = list(describer.describe(one))
            chain.findings += found
            chain.ties += one.ties
            chain.fates += _fates(net, run, one, found)
    except (PrototxtError, LayerError) as error:
        chain.stopped = str(error)
    chain.findings += [BlobFinding(result, "") for result in report.results]
    chain.notes += report.notes
    return chain


def _fates(net: Net, fixture: Fixture, report: Report, findings: Sequence[BlobFinding]) -> Iterator[Fate]:
    """Why proposals differ, for the first proposal layer whose RoIs do."""
    differing = {f.layer: f.rois for f in findings if f.rois is not None and (f.rois.lost or f.rois.added)}
    golden = isolation_of(net, fixture).golden
    for step in net.steps:
        node, layer = step.node, step.layer
        match = differing.get(node.name)
        if isinstance(layer, ProposalLayer) and match is not None and golden.keys() >= set(node.bottoms):
            ours = [report.run.tops[blob] for blob in node.bottoms]
            theirs = [golden[blob] for blob in node.bottoms]
            if [blob.shape for blob in ours] == [blob.shape for blob in theirs]:
                yield from fates(layer, theirs, ours, match)
            return
