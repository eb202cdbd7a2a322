"""The report of `recaffe compare`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...golden.diagnosis import Blame, BlobFinding, Comparison
from .tables import aligned

_SHOWN = 12
_HEAD = ("blob", "alone", "in use", "largest", "mean", "of magnitude", "ulps", "cosine", "first")


def as_text(comparison: Comparison, verbose: bool = False) -> str:
    """The verdict first, then blame and cause, then what else differs; with `verbose` every blob."""
    lines = [_verdict(comparison)]
    lines += _indented(_blamed(comparison.blames))
    facts = [
        *(f"weights: {difference}" for difference in comparison.params),
        *(f"prototxt: {difference}" for difference in comparison.fields),
        *(f"names: {name}" for name in comparison.names),
        *(f"training: {result}" for result in comparison.trace if not result.ok),
        *(f"tie: {tie}" for tie in comparison.ties[comparison.verdict.kind == "ties" :]),
        *(f"RoIs: {fate}" for fate in comparison.fates if comparison.verdict.kind == "decision"),
    ]
    lines += _indented(_some(facts, verbose))
    lines += _indented(_table(comparison, verbose))
    lines += _indented(f"note: {note}" for note in comparison.notes)
    return "\n".join(lines)


def _verdict(comparison: Comparison) -> str:
    if comparison.verdict.kind == "ties":
        return f"same but for ties {comparison.path}: {comparison.ties[0]}"
    if not comparison.ok:
        return f"DIFFER {comparison.path}: {comparison.verdict.text}"
    counts = {"in use": comparison.chain, "layer by layer": comparison.isolated}
    told = ", ".join(f"{len(findings)} blobs {how}" for how, findings in counts.items() if findings)
    if comparison.trace:
        told = f"{told}{', ' if told else ''}{len(comparison.trace)} results of the solver's steps"
    return f"same   {comparison.path}: {told or 'nothing to compute'}"


def _blamed(blames: Sequence[Blame]) -> Iterator[str]:
    """The first layer with its causes, the others by name."""
    for blame in blames[:1]:
        yield blame.detail
        yield from (f"cause ({cause.rule}): {cause}" for cause in blame.causes)
        if not blame.causes:
            yield "cause: none of the usual mistakes explains it"
    for blame in blames[1:]:
        what = "also, backward" if blame.backward else "also"
        cause = f"; cause ({blame.causes[0].rule}): {blame.causes[0]}" if blame.causes else ""
        yield f"{what}: {blame.layer!r} ({blame.type}) gives other {', '.join(blame.blobs)}{cause}"


def _some(lines: Sequence[str], verbose: bool) -> Sequence[str]:
    if verbose or len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more (verbose=True shows all)"]


def _table(comparison: Comparison, verbose: bool) -> Sequence[str]:
    """A line for each blob that differs, in the net's order; its numbers are those in use, if it was run so."""
    chain, alone = ({f.result.key: f for f in findings} for findings in (comparison.chain, comparison.isolated))
    rows = [
        _row(alone.get(key), chain.get(key))
        for key in {**chain, **alone}
        if verbose or not all(f.result.ok for f in (alone.get(key), chain.get(key)) if f is not None)
    ]
    return _some(aligned([_HEAD, *rows]), verbose) if rows else []


def _row(alone: BlobFinding | None, chain: BlobFinding | None) -> tuple[str, ...]:
    finding = chain or alone
    assert finding is not None
    result, measures = finding.result, finding.measures
    head = (result.key, differing(alone), differing(chain))
    if measures is None:
        return (*head, *[""] * 5, result.detail)
    numbers = (f"{result.difference:.3g}", f"{measures.mean:.3g}", f"{result.relative:.2g}")
    return (*head, *numbers, str(measures.ulps), cosine_text(measures.cosine), str(finding.rois or finding.first))


def differing(finding: BlobFinding | None) -> str:
    """How many values differ."""
    if finding is None:
        return ""
    result = finding.result
    return "same" if result.ok else f"{result.different} of {result.size}" if result.size else result.problem


def cosine_text(cosine: float | None) -> str:
    """A cosine with the digits that tell it from 1."""
    return "" if cosine is None else f"{cosine:.9f}".rstrip("0").rstrip(".")


def _indented(lines: Iterator[str] | Sequence[str]) -> list[str]:
    return [f"         {line}" for line in lines]
