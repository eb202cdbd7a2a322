"""One layer's panel: where it is in the file, what was found of it, figures and drawings of its blobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ....golden.diagnosis import Blame, BlobFinding
from ....layers import Shape, times
from ..comparison_text import cosine_text
from ..html import Html, element
from .gallery import Gallery
from .layer_verdicts import SIGNS, LayerVerdict
from .net_drawing import finds

HEAD = ("largest difference", "of magnitude", "allowed", "mean", "mean of magnitude", "ulps", "cosine")
_MODES = {"isolated": "alone", "chain": "in use"}


def layer_panel(verdict: LayerVerdict, name: str, shapes: Mapping[str, Shape], gallery: Gallery) -> Html:
    """A panel that opens; the first layer that differs has it open."""
    summary = element(
        "summary",
        element("span", SIGNS[verdict.kind], class_="sign", aria_hidden="true"),
        element("span", verdict.name or "other results", class_="name"),
        element("span", verdict.type, class_="type"),
        element("span", verdict.words, class_="words"),
    )
    body = [_place(verdict, shapes), [_blame(blame) for blame in verdict.blames], _facts(verdict)]
    body += [_blob(key, modes, gallery) for key, modes in verdict.findings.items()]
    marked = f"layer {verdict.kind}{' first' if verdict.first else ''}"
    return element("details", summary, body, id=name, class_=marked, open=verdict.first, data_find=finds(verdict))


def _place(verdict: LayerVerdict, shapes: Mapping[str, Shape]) -> Html | None:
    node = verdict.node
    if node is None:
        return element("p", "This net has no such layer.") if verdict.name else None

    def blobs(names: tuple[str, ...]) -> list[Html | str]:
        told: list[Html | str] = []
        for blob in names:
            told += [element("code", blob), f" {times(shapes.get(blob, ()))} "]
        return told or ["nothing"]

    return element("p", blobs(node.bottoms), "→ ", blobs(node.tops), element("span", node.where, class_="where"))


def _blame(blame: Blame) -> Html:
    how = "Fed the golden's own diffs, it hands down others" if blame.backward else "Fed the golden's own blobs"
    what = f"{how}: " if blame.backward else f"{how}, it gives others: "
    beside = element("p", f"Without a golden value between: {', '.join(blame.beside)}.") if blame.beside else None
    causes = [element("li", element("b", cause.rule), f" {cause}") for cause in blame.causes]
    why = element("ul", causes) if causes else element("p", "None of the usual mistakes explains it.")
    return element("div", element("p", what, blame.detail), beside, why, class_="blame")


def _facts(verdict: LayerVerdict) -> Html | None:
    facts = [*(f"prototxt: {fact}" for fact in verdict.fields), *(f"weights: {fact}" for fact in verdict.params)]
    return element("ul", [element("li", fact) for fact in facts]) if facts else None


def _blob(key: str, modes: Mapping[str, BlobFinding], gallery: Gallery) -> Html:
    """The figures of a blob in both modes, then its drawings."""
    head = element("tr", element("th", "run", scope="col"), [element("th", text, scope="col") for text in HEAD])
    rows = [
        element("tr", element("th", _MODES[mode], scope="row"), [element("td", cell) for cell in figures(modes[mode])])
        for mode in _MODES
        if mode in modes
    ]
    table = element("table", element("thead", head), element("tbody", rows), aria_label=f"figures of {key}")
    scroll = element("div", table, class_="wide", tabindex=0, role="region", aria_label=f"figures of {key}")
    return element("section", element("h4", key), scroll, list(_told(modes)), list(_drawings(key, modes, gallery)))


def figures(finding: BlobFinding) -> tuple[str, ...]:
    """The cells of HEAD; for a blob that could not be measured, why."""
    result, measures = finding.result, finding.measures
    if measures is None:
        return (result.detail or "the same", *[""] * (len(HEAD) - 1))
    relative = "" if measures.mean_relative is None else f"{measures.mean_relative:.2g}"
    ulps = "" if measures.ulps is None else f"{measures.ulps:,}"
    numbers = (f"{result.difference:.3g}", f"{result.relative:.2g}", f"{result.allowed:g}", f"{measures.mean:.3g}")
    return (*numbers, relative, ulps, cosine_text(measures.cosine))


def _told(modes: Mapping[str, BlobFinding]) -> Iterator[Html]:
    """Where values differ, in words."""
    for mode, finding in modes.items():
        if not finding.result.ok:
            worst = f"; the worst: {finding.worst}" if finding.worst and finding.worst != finding.first else ""
            yield element("p", element("b", f"{_MODES[mode]}: "), f"{finding}{worst}", class_="told")


def _drawings(key: str, modes: Mapping[str, BlobFinding], gallery: Gallery) -> Iterator[Html]:
    for mode, words in _MODES.items():
        if (mode, key) in gallery.drawn and mode in modes:
            told = element("p", f"run {words}", class_="mode")
            yield element("div", told, gallery.drawn[mode, key], class_="drawings")
