"""The answer in one line, from everything that was found."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..compare import BlobResult
from .findings import Blame, BlobFinding, Comparison, Verdict

_LISTED = 4


def decide(found: Comparison, stopped: str, decisions: Collection[str]) -> Verdict:
    """The first layer that does wrong by itself; where none does, what else differs.

    `stopped` is why the net could not run, if so; `decisions` are layers whose tops depend on choices.
    """
    forward = [blame for blame in found.blames if not blame.backward]
    if blame := next(iter(forward or found.blames), None):
        return _blamed(blame)
    if stopped:
        return Verdict("stopped", f"the net cannot run: {stopped}")
    if found.params:
        results = [finding.result for finding in (*found.chain, *found.isolated)] + list(found.trace)
        shown = "" if any(not result.ok for result in results) else ", though nothing computed does"
        return Verdict("params", f"the weights differ{shown}: {found.params[0]}", found.params[0].layer)
    if found.names:
        more = f" (and {len(found.names) - 1} more such)" if len(found.names) > 1 else ""
        return Verdict("names", found.names[0] + more)
    if first := next((finding for finding in found.isolated if not finding.result.ok), None):
        return Verdict("forward", f"the first that differs: {first}", first.layer, _blob(first.result))
    if first := next((finding for finding in found.chain if not finding.result.ok), None):
        return _chained(first, found, decisions)
    if one := found.tipped:
        return Verdict("decision", f"each step is right; rounding tipped one decision in {one}", one.layer, one.blob)
    if step := next((result for result in found.trace if not result.ok), None):
        return Verdict("trace", f"the first of the solver's steps that differs: {step}", "", _blob(step))
    if found.ties:
        more = f" (and {len(found.ties) - 1} more such)" if len(found.ties) > 1 else ""
        return Verdict("ties", f"every blob is the golden's but for ties: {found.ties[0]}{more}", found.ties[0].layer)
    return Verdict("same", "every blob is the golden's")


def _blob(result: BlobResult) -> str:
    return result.key.partition("/")[2]


def _blamed(blame: Blame) -> Verdict:
    what = "the first layer whose diffs differ" if blame.backward else "the first layer that differs"
    beside = f", beside {_some(blame.beside)}" if blame.beside else ""
    text = f"{what}: {blame.layer!r} ({blame.type}, {blame.where}){beside}"
    kind = "backward" if blame.backward else "forward"
    return Verdict(kind, text, blame.layer, blame.blobs[0].partition("/")[2])


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:_LISTED]))
    return listed if len(names) <= _LISTED else f"{listed} and {len(names) - _LISTED} more"


def _chained(first: BlobFinding, found: Comparison, decisions: Collection[str]) -> Verdict:
    """Of a net whose layers are right one by one, or were not looked at so."""
    blob = _blob(first.result)
    if not found.isolated:
        text = f"the first blob that differs: {blob!r} of layer {first.layer!r} (isolate=True tells whose doing it is)"
        return Verdict("forward", text, first.layer, blob)
    if first.layer in decisions:
        near = f": {found.fates[0]}" if found.fates else ""
        text = f"each layer alone is right; rounding upset a choice near a tie in {first.layer!r}{near}"
        return Verdict("decision", text, first.layer, blob)
    text = (
        f"each layer alone is right; rounding adds up to {first.result.relative:.2g} of the largest magnitude "
        f"by {blob!r} (allowed {first.result.allowed:g})"
    )
    return Verdict("accumulated", text, first.layer, blob)
