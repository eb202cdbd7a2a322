"""The part of a report about one fixture: verdict, drawing of the net, every blob, a panel for each layer."""

from __future__ import annotations

from collections.abc import Sequence

from ....golden.diagnosis import Comparison
from ....prototxt.net import Net
from ..comparison_text import differing
from ..html import Html, element, losses
from .gallery import Gallery
from .layer_panel import HEAD, figures, layer_panel
from .layer_verdicts import SIGNS, LayerVerdict, layer_verdicts
from .net_drawing import draw_net, finds
from .overlay import store_image

_COLUMNS = ("blob", "layer", "alone", "in use", "largest difference", "of magnitude", "mean", "where")
_KINDS = ("wrong", "differs", "same", "unseen")


def fixture_section(number: int, comparison: Comparison, net: Net, gallery: Gallery) -> Html:
    """Everything about one fixture; `number` keeps its ids apart from other fixtures'."""
    found = layer_verdicts(net.nodes, comparison)
    names = {id(verdict): f"f{number}-{i}" for i, verdict in enumerate(found)}
    places = {id(node): i for i, node in enumerate(net.nodes)}
    drawn = {places[id(verdict.node)]: verdict for verdict in found if verdict.node is not None}
    drawing = draw_net(net.nodes, drawn, {i: names[id(verdict)] for i, verdict in drawn.items()})
    faults = [(verdict, names[id(verdict)]) for verdict in found if verdict.first]
    panels = [layer_panel(verdict, names[id(verdict)], net.blob_shapes, gallery) for verdict in found]
    image = store_image(gallery.image, gallery.image_id) if gallery.image is not None else None
    title = element("h2", comparison.path, id=f"f{number}")
    large = " large" if len(drawn) > 60 else ""
    nav = element("nav", _legend(found), _skip(number), drawing, class_=f"graph{large}", aria_label="The net's layers")
    blobs = [_table(found, names), element("h3", "Layers"), panels]
    right = element("div", _trace(comparison, gallery), blobs, class_="blobs", id=f"f{number}-blobs", tabindex=-1)
    body = [image, title, _verdict(comparison, faults), element("div", nav, right, class_="columns")]
    return element("section", body, class_="fixture", aria_labelledby=f"f{number}")


def _skip(number: int) -> Html:
    return element("a", "Skip the drawing", href=f"#f{number}-blobs", class_="skip")


def _verdict(comparison: Comparison, faults: Sequence[tuple[LayerVerdict, str]]) -> Html:
    """The answer, the first layer's doing and its cause, and the way there."""
    good = comparison.ok
    head = element(
        "p", element("span", "✓" if good else "✖", aria_hidden="true"), " ", _answer(comparison), class_="answer"
    )
    text = None if comparison.verdict.kind == "same" else element("p", _capital(comparison.verdict.text), class_="text")
    blame = next(iter(comparison.blames), None)
    why = [element("li", element("b", f"Cause ({c.rule}): "), str(c)) for c in blame.causes] if blame else []
    if blame and not why:
        why = [element("li", "None of the usual mistakes explains it.")]
    detail = element("p", blame.detail) if blame else None
    ways = [element("a", f"Go to {verdict.name}", href=f"#{name}", class_="jump") for verdict, name in faults]
    causes = element("ul", why, class_="causes") if why else None
    body = [head, text, detail, causes, element("p", ways) if ways else None, _facts(comparison)]
    return element("div", body, class_=f"verdict {'good' if good else 'bad'}")


def _answer(comparison: Comparison) -> str:
    if comparison.verdict.kind == "ties":
        return "The same but for ties"
    if comparison.ok:
        counts = {"in use": comparison.chain, "layer by layer": comparison.isolated}
        told = [f"{len(found)} blobs {how}" for how, found in counts.items() if found]
        told += [f"{len(comparison.trace)} results of the solver's steps"] if comparison.trace else []
        return f"The same: {', '.join(told) or 'nothing to compute'}"
    return f"Differs: {comparison.verdict.layer or comparison.verdict.blob or comparison.verdict.kind}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(comparison: Comparison) -> Html | None:
    """What else is known: other weights, fields and names, fates of RoIs, notes."""
    told = {
        "Weights that differ": comparison.params,
        "Prototxts differ": comparison.fields,
        "Names that one side has": comparison.names,
        "Ties": comparison.ties,
        "Why RoIs fell": comparison.fates,
        "Notes": comparison.notes,
    }
    lists = [
        element(
            "details",
            element("summary", f"{title} ({len(facts)})"),
            element("ul", [element("li", str(fact)) for fact in facts]),
            open=len(facts) <= 3,
        )
        for title, facts in told.items()
        if facts
    ]
    return element("div", lists, class_="facts") if lists else None


def _legend(found: Sequence[LayerVerdict]) -> Html:
    """What colours and signs mean, with how many layers are so."""
    told = {"wrong": "wrong by itself", "differs": "differs in use", "same": "the same", "unseen": "not compared"}
    items = [
        element("li", element("span", SIGNS[kind], class_=f"swatch {kind}"), f" {told[kind]}: {count}")
        for kind in _KINDS
        if (count := sum(verdict.kind == kind for verdict in found))
    ]
    return element("ul", items, class_="legend")


def _table(found: Sequence[LayerVerdict], names: dict[int, str]) -> Html:
    """Every blob in the net's order."""
    head = element("tr", [element("th", text, scope="col") for text in _COLUMNS])
    rows = [_row(verdict, names[id(verdict)], key) for verdict in found for key in verdict.findings]
    caption = element("caption", "Every blob; the numbers are those of the net in use, if it was run so")
    table = element("table", caption, element("thead", head), element("tbody", rows), class_="every")
    return element("div", table, class_="wide every", tabindex=0, role="region", aria_label="Every blob")


def _row(verdict: LayerVerdict, name: str, key: str) -> Html:
    modes = verdict.findings[key]
    finding = modes.get("chain", modes.get("isolated"))
    assert finding is not None
    measured = finding.measures is not None
    largest, relative, _, mean, *_ = figures(finding) if measured else [""] * len(HEAD)
    where = str(finding.rois or finding.first) if measured or finding.rois else finding.result.detail
    cells = [differing(modes.get("isolated")), differing(modes.get("chain")), largest, relative, mean, where]
    link = element("a", verdict.name or "other results", href=f"#{name}")
    kind = "wrong" if verdict.kind == "wrong" and not _ok(verdict, key, "isolated") else verdict.kind
    kind = kind if any(not f.result.ok for f in modes.values()) else "same"
    row = [element("th", key, scope="row"), element("td", link), [element("td", cell) for cell in cells]]
    return element("tr", row, class_=kind, data_find=f"{finds(verdict)} {key}".lower())


def _ok(verdict: LayerVerdict, key: str, mode: str) -> bool:
    finding = verdict.findings[key].get(mode)
    return finding is None or finding.result.ok


def _trace(comparison: Comparison, gallery: Gallery) -> Html | None:
    """A solver's steps: losses as charts, then every result that differs."""
    if not comparison.trace:
        return None
    charts = [
        losses(name, [golden for golden, _ in steps], [ours for _, ours in steps])
        for name, steps in gallery.losses.items()
    ]
    bad = [result for result in comparison.trace if not result.ok]
    told = f"{len(comparison.trace)} results of the solver's steps, {len(bad)} differ"
    items = [element("li", str(result)) for result in bad]
    lines = element("details", element("summary", told), element("ul", items)) if bad else element("p", told)
    return element("section", element("h3", "Training"), element("div", charts, class_="maps"), lines)
