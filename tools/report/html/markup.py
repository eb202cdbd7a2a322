"""HTML and SVG from Python: every text is escaped, what is markup already is not."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Child = str | int | float | Iterable["Child"] | None
_VOID = {"img", "input", "link", "meta", "br"}


class Html(str):
    """Text that is markup already."""


def element(tag: str, *children: Child, **attributes: object) -> Html:
    """An element: `class_="a"` is class="a", `data_find` data-find; None and False leave an attribute out."""
    told = "".join(_attribute(name, value) for name, value in attributes.items() if value not in (None, False))
    if tag in _VOID:
        return Html(f"<{tag}{told}>")
    return Html(f"<{tag}{told}>{joined(children)}</{tag}>")


def joined(children: Child) -> Html:
    """Children one after another, lists among them included; None is nothing."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(escape(children, quote=False))
    if isinstance(children, int | float):
        return Html(number(children))
    return Html("".join(map(joined, children)))


def _attribute(name: str, value: object) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = number(value) if isinstance(value, int | float) else str(value)
    return f' {name}="{escape(text)}"'


def number(value: float) -> str:
    """A number as attributes have it: a tenth of a pixel is exact enough."""
    return f"{value:.1f}".removesuffix(".0")
