"""The report as text: whole, escaped, to be read aloud, without an address of anywhere, the same each time."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from recaffe.tools.main import main

NETS = Path(__file__).parents[4] / "golden" / "fixtures" / "nets"
SOLVERS = NETS.parent / "solvers"
VOID = {"meta", "link", "input", "img", "br"}


class Page(HTMLParser):
    """Every element with its attributes, and the text in it; tags must match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """Attributes of the elements of a kind."""
        return [a for t, a in self.found if t == tag and wanted.items() <= a.items()]


@pytest.fixture(scope="session")
def page(report: Path) -> Page:
    return Page(report.read_text())


def test_ids_and_links_fit(page: Page) -> None:
    ids = Counter(a["id"] for _, a in page.found if "id" in a)
    assert [name for name, count in ids.items() if count > 1] == []
    links = {a["href"] for _, a in page.found if a.get("href", "").startswith("#")}
    assert {link[1:] for link in links} <= set(ids)
    labels = {a["for"] for a in page.of("label")} | {
        a["aria-labelledby"] for _, a in page.found if "aria-labelledby" in a
    }
    assert labels <= set(ids)


def test_nothing_lies_outside(page: Page, report: Path) -> None:
    names = ("href", "src", "action", "data", "srcset", "poster")
    addresses = [a[name] for _, a in page.found for name in names if name in a]
    assert [address[:40] for address in addresses if not address.startswith(("#", "data:"))] == []
    text = report.read_text()
    assert re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|<script [^>]*src|\bon\w+=", text) == []
    assert set(re.findall(r"https?://[^\s\"']*", text)) <= {"http://www.w3.org/2000/svg"}


def test_names_are_escaped(page: Page, report: Path) -> None:
    assert "a<b>" not in report.read_text()
    assert any("a<b>&c.prototxt:" in text for _, text in page.texts)


def test_structure_for_those_who_do_not_see(page: Page) -> None:
    assert page.of("html", lang="en")
    assert len(page.of("h1")) == len(page.of("main")) == 1
    assert [a for a in page.of("img") if not a.get("alt")] == []
    assert [a for a in page.of("svg", role="img") if not a.get("aria-label")] == []
    assert {a.get("scope") for a in page.of("th")} == {"row", "col"}
    assert page.of("output", **{"aria-live": "polite"})
    first = next(a for tag, a in page.found if tag == "a")
    assert (first["class"], first["href"]) == ("skip", "#main")


def test_the_verdict_comes_first(page: Page, report: Path) -> None:
    texts = [text for parent, text in page.texts if parent == "p"]
    assert "✖ Differs: 2 fixtures, 1 different, 1 unusable" in texts
    assert "The first layer that differs: 'pool4'" in " ".join(texts)
    (row,) = [a for a in page.of("a") if "first" in a.get("class", "").split()]
    assert row["class"] == "row wrong shade2 first"
    assert row["aria-label"] == "the first that differs: pool4, Pooling: wrong by itself"
    layers = page.of("details")
    assert [a["class"] for a in layers if "open" in a and "layer" in a.get("class", "")] == ["layer wrong first"]
    assert report.stat().st_size < 400_000


def test_every_file_is_told_by_its_hash(folder: Path, report: Path) -> None:
    text = report.read_text()
    for path in (folder / "a<b>&c.prototxt", NETS / "frcnn_test.caffemodel", NETS / "frcnn_test.npz"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert "--html" not in "".join(re.findall(r"<td>recaffe compare.*?</td>", text))


def test_the_same_bytes_again(folder: Path, report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = report.read_bytes()
    golden = (NETS / "frcnn_test.npz", folder / "broken.npz")
    words = ["compare", folder / "a<b>&c.prototxt", NETS / "frcnn_test.caffemodel", *golden, "--html", report]
    assert main([*map(str, words)]) == 2
    assert capsys.readouterr().err == f"recaffe compare: {report}: exists already (--force replaces it)\n"
    assert main([*map(str, words), "--force"]) == 2
    assert report.read_bytes() == before


def test_a_solvers_steps(tmp_path: Path) -> None:
    assert main(["compare", "-", "-", str(SOLVERS / "adam.npz"), "--html", str(tmp_path / "report.html")]) == 0
    page = Page((tmp_path / "report.html").read_text())
    (chart,) = [a for a in page.of("svg", role="img") if a["class"] == "losses"]
    assert " over 12 steps: golden " in chart["aria-label"]
    assert len(page.of("polyline")) == 2
    assert any(text.startswith("✓") for _, text in page.texts)
