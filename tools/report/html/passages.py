"""A document's parts, which become HTML or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .markup import Html, element


@dataclass(frozen=True)
class Heading:
    """The title of what follows; level 2 is the highest below the document's own."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Some text."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells below their columns' names; the first cell names its row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


Passage = Heading | Paragraph | Table


def as_html(passages: Sequence[Passage]) -> Html:
    """The parts one after another."""
    return Html("\n".join(map(_html, passages)))


def _html(passage: Passage) -> Html:
    if isinstance(passage, Heading):
        return element(f"h{passage.level}", passage.text)
    if isinstance(passage, Paragraph):
        return element("p", passage.text)
    head = element("tr", [element("th", name, scope="col") for name in passage.columns])
    rows = [
        element("tr", element("th", name, scope="row"), [element("td", cell) for cell in cells])
        for name, *cells in passage.rows
    ]
    table = element("table", element("caption", passage.caption), element("thead", head), element("tbody", rows))
    return element("div", table, class_="wide", tabindex=0, role="region", aria_label=passage.caption)


def as_markdown(passages: Sequence[Passage]) -> str:
    """The parts with an empty line between."""
    return "\n\n".join("\n".join(_markdown(passage)) for passage in passages) + "\n"


def _markdown(passage: Passage) -> Iterator[str]:
    if isinstance(passage, Heading):
        yield f"{'#' * passage.level} {_plain(passage.text)}"
    elif isinstance(passage, Paragraph):
        yield _plain(passage.text)
    else:
        yield f"**{_plain(passage.caption)}**"
        yield ""
        for row in (passage.columns, ["---"] * len(passage.columns), *passage.rows):
            yield f"| {' | '.join(cell if row[0] == '---' else _plain(cell) for cell in row)} |"


def _plain(text: str) -> str:
    """Text that stays as it is in Markdown."""
    for mark in "\\`*_<>|[]#":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
