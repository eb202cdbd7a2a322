"""A net as a drawing: a box for each blob, a row in it for each layer that computes it, coloured by its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....prototxt.net import Node
from ..html import Html, element
from .layer_verdicts import SIGNS, LayerVerdict
from .net_layout import Layout, lay_out

_ROW, _LETTER, _MARGIN, _LONGEST = 22.0, 7.3, 36.0, 34


def draw_net(nodes: Sequence[Node], verdicts: Mapping[int, LayerVerdict], ids: Mapping[int, str]) -> Html:
    """The drawing and its overview; `verdicts` and `ids` go by positions in the net."""
    layout = lay_out(nodes, [_LETTER * len(" ".join(_label(node))) + _MARGIN for node in nodes])
    rows = {
        i: (placed.x, placed.row(number), placed.box.width)
        for placed in layout.boxes
        for number, i in enumerate(placed.box.layers)
    }
    frames = [
        element("rect", x=p.x, y=p.y, width=p.box.width, height=p.box.height, rx=5, class_="frame", aria_hidden="true")
        for p in layout.boxes
    ]
    lines = element("g", map(_line, layout.lines), class_="lines", aria_hidden="true")
    layers = [_row(nodes[i], verdicts[i], ids[i], *place) for i, place in sorted(rows.items())]
    size = {"width": layout.width, "height": layout.height, "viewBox": _view(layout)}
    drawing = element("svg", lines, frames, layers, role="group", aria_label="The net's layers", class_="net", **size)
    return element("div", element("div", drawing, class_="scroll"), _overview(layout, rows, verdicts), class_="pane")


def _label(node: Node) -> tuple[str, str]:
    name = node.name if len(node.name) <= _LONGEST else f"{node.name[: _LONGEST - 1]}…"
    return name, node.type


def _view(layout: Layout) -> str:
    return f"0 0 {layout.width:.1f} {layout.height:.1f}"


def _line(points: Sequence[tuple[float, float]]) -> Html:
    """Straight down through lanes, in a curve from one row of boxes to the next."""
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for i, (x2, y2) in enumerate(rest):
        middle = (y + y2) / 2
        path += f"V{y2:.1f}" if i % 2 else f"C{x:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
        x, y = x2, y2
    return element("path", d=path)


def _row(node: Node, verdict: LayerVerdict, name: str, x: float, y: float, width: float) -> Html:
    """A layer as a link to its panel."""
    label, kind = _label(node)
    first = "the first that differs: " if verdict.first else ""
    told = f"{first}{node.name}, {node.type}: {verdict.words}"
    back = element("rect", x=x + 3, y=y + 1, width=width - 6, height=_ROW - 2, rx=3)
    words = [
        element("text", SIGNS[verdict.kind], x=x + 11, y=y + 15, class_="sign", text_anchor="middle"),
        element("text", label, element("tspan", f" {kind}", class_="type"), x=x + 22, y=y + 15),
    ]
    marked = f"row {verdict.kind} shade{verdict.shade}{' first' if verdict.first else ''}"
    link = {"href": f"#{name}", "aria_label": told, "data_find": finds(verdict), "data_panel": name}
    return element("a", element("title", told), back, words, class_=marked, **link)


def finds(verdict: LayerVerdict) -> str:
    """The words by which the search finds a layer."""
    words = [verdict.name, verdict.type, verdict.words, *verdict.findings]
    words += ["differs"] if verdict.kind == "wrong" else []
    return " ".join([*words, *(["first"] if verdict.first else [])]).lower()


def _overview(
    layout: Layout, rows: Mapping[int, tuple[float, float, float]], verdicts: Mapping[int, LayerVerdict]
) -> Html:
    """The whole net at a glance, beside the part that is shown."""
    # The worst last and on top: rows of a long net are thinner than a pixel.
    order = sorted(rows, key=lambda i: (verdicts[i].kind == "wrong", verdicts[i].kind == "differs", i))
    marks = [
        element("rect", x=x, y=y, width=width, height=_ROW, class_=f"{verdicts[i].kind} shade{verdicts[i].shade}")
        for i in order
        for x, y, width in [rows[i]]
    ]
    return element(
        "svg", marks, viewBox=_view(layout), preserveAspectRatio="none", class_="overview", aria_hidden="true"
    )
