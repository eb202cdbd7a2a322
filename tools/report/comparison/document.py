"""The report of `recaffe compare` as one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from ....golden import Subject
from ....golden.diagnosis import Comparison, Vocabulary
from ....golden.fixture import Fixture
from ....prototxt.net import Net
from ..environment import environment, golden_environment
from ..html import Html, Passage, as_html, element, joined
from .fixture_section import fixture_section
from .gallery import Gallery
from .overlay import find_image

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class _Entry:
    """A line of the index: 1, 0 or None for same, different and unusable."""

    name: str
    number: int
    ok: bool | None
    text: str


@dataclass
class Document:
    """Takes comparisons one by one and keeps what is drawn of them."""

    title: str
    entries: list[_Entry] = field(default_factory=list)
    sections: list[Html] = field(default_factory=list)
    origins: list[Passage] = field(default_factory=list)

    def gallery(self, subject: Subject, fixture: Fixture) -> tuple[Net, Gallery]:
        """The net to draw, and what draws its blobs while they are compared."""
        net = subject.build(fixture)
        image = find_image({**fixture.bottoms, **fixture.tops})
        return net, Gallery(Vocabulary(net), image, f"image{len(self.entries)}")

    def add(self, comparison: Comparison, fixture: Fixture, net: Net, gallery: Gallery) -> None:
        """One fixture's section."""
        number = len(self.entries)
        self.entries.append(_Entry(comparison.path, number, comparison.ok, comparison.verdict.text))
        self.sections.append(fixture_section(number, comparison, net, gallery))
        self.origins += golden_environment(comparison.path, fixture.meta)

    def add_unusable(self, path: str, error: str) -> None:
        """A fixture that cannot be compared."""
        number = len(self.entries)
        self.entries.append(_Entry(path, number, None, error))
        answer = element("p", f"✖ Cannot be compared: {error}", class_="answer")
        body = [element("h2", path, id=f"f{number}"), element("div", answer, class_="verdict bad")]
        self.sections.append(element("section", body, class_="fixture", aria_labelledby=f"f{number}"))

    def html(self, command: str, files: Iterable[str | Path]) -> str:
        """The whole file."""
        index = self._index() if len(self.entries) > 1 else None
        made = as_html([*environment(command, files), *self.origins])
        told = element("section", made, class_="environment")
        return page(self.title, [_search(), index, self.sections, told])

    def _index(self) -> Html:
        """The verdict on all fixtures, and a line for each."""
        counts = {ok: sum(entry.ok is ok for entry in self.entries) for ok in (True, False, None)}
        words = {True: "the same", False: "different", None: "unusable"}
        told = ", ".join(f"{count} {words[ok]}" for ok, count in counts.items() if count)
        good = counts[True] == len(self.entries)
        sign = "✓ The same" if good else "✖ Differs"
        answer = element("p", f"{sign}: {len(self.entries)} fixtures, {told}", class_="answer")
        head = element("tr", [element("th", name, scope="col") for name in ("fixture", "answer", "verdict")])
        rows = [
            element(
                "tr",
                element("th", element("a", entry.name, href=f"#f{entry.number}"), scope="row"),
                element("td", f"{'✓' if entry.ok else '✖'} {words[entry.ok]}"),
                element("td", entry.text),
                class_="same" if entry.ok else "wrong",
            )
            for entry in sorted(self.entries, key=lambda entry: bool(entry.ok))
        ]
        table = element("table", element("caption", "Fixtures"), element("thead", head), element("tbody", rows))
        wide = element("div", table, class_="wide", tabindex=0, role="region", aria_label="Fixtures")
        return element("section", answer, wide, class_=f"verdict index {'good' if good else 'bad'}", aria_label="All")


def _search() -> Html:
    """The bar that stays in sight."""
    label = element("label", "Search", for_="search")
    hint = "name, type or key; differs, wrong"
    box = element("input", id="search", type="search", placeholder=hint, autocomplete="off", spellcheck="false")
    count = element("output", id="count", for_="search", aria_live="polite")
    keys = element("span", element("kbd", "/"), " searches, ", element("kbd", "Esc"), " clears", class_="keys")
    return element("form", label, box, count, keys, class_="search", role="search")


def page(title: str, body: Sequence[Html | Sequence[Html] | None]) -> str:
    """A whole HTML file with its style and script inside."""
    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", Html(style)),
    )
    skip = element("a", "Skip to the content", href="#main", class_="skip")
    head_line = element("header", element("h1", title), element("p", f"recaffe {version('recaffe')}"))
    main = element("main", joined(body), id="main", tabindex=-1)
    whole = element("body", skip, head_line, main, element("script", Html(script)))
    return f"<!doctype html>\n{element('html', head, whole, lang='en')}\n"
