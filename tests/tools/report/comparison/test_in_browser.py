"""The report in a real browser: it opens without a fault, clicks, keys and the search work, wide, narrow and dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Browser
else:
    Browser = Any

FAULT = "a.row.first"
OPEN = "[...document.querySelectorAll('details.layer[open]')].map((panel) => panel.querySelector('.name').textContent)"


def faults(browser: Browser) -> list[Any]:
    """Everything that a console shows in red."""
    bad = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
    logged = (e for e in browser.events if e.get("method") == "Log.entryAdded")
    return [e for e in browser.events if e.get("method") in bad] + [
        e for e in logged if e["params"]["entry"]["level"] in ("error", "warning")
    ]


def visible(browser: Browser, selector: str) -> bool:
    """Whether an element is inside the window, and on top there."""
    return browser.run(
        f"""(() => {{
          const part = document.querySelector({selector!r}), box = part.getBoundingClientRect();
          const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return part === hit || part.contains(hit);
        }})()"""
    )


def test_opens_without_a_fault_and_asks_for_nothing(browser: Browser, report: Path) -> None:
    browser.open(report)
    assert faults(browser) == []
    asked = [e["params"]["request"]["url"] for e in browser.events if e.get("method") == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (800, 1400)])
def test_the_fault_is_visible_at_first_glance(browser: Browser, report: Path, width: int, height: int) -> None:
    browser.open(report, width, height)
    assert visible(browser, ".fixture .answer")
    assert browser.run("document.querySelector('.fixture .answer').textContent") == "✖ Differs: pool4"
    assert browser.run(
        """(() => {
          const pane = document.querySelector('.scroll').getBoundingClientRect();
          const row = document.querySelector('a.row.first').getBoundingClientRect();
          return row.top >= pane.top && row.bottom <= Math.min(pane.bottom, innerHeight);
        })()"""
    )
    assert browser.run(OPEN) == ["pool4"]


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_sticks_out(browser: Browser, report: Path, width: int) -> None:
    browser.open(report, width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    browser.settle()
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_a_click_opens_the_layer(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.click("a.row[aria-label^='proposal']")
    assert "proposal" in browser.run(OPEN)
    panel = browser.run("location.hash.slice(1)")
    assert visible(browser, f"#{panel} > summary")
    assert visible(browser, "a.row.current")
    assert browser.run("document.activeElement.textContent").startswith("▲proposal")
    assert browser.run(f"document.querySelectorAll('#{panel} .rois .ours').length") > 0
    assert browser.run(f"[...document.querySelectorAll('#{panel} img')].every((image) => image.naturalWidth > 0)")


def test_the_search(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.press("/", "/")
    assert browser.run("document.activeElement.id") == "search"
    browser.call("Input.insertText", text="Pooling wrong")
    browser.settle()
    shown = "[...document.querySelectorAll('details.layer:not([hidden]) .name')].map((name) => name.textContent)"
    assert browser.run(shown) == ["pool4"]
    assert browser.run("document.getElementById('count').value").startswith("1 of ")
    assert browser.run("[...document.querySelectorAll('.every tbody tr:not([hidden]) th')].length") == 1
    browser.press("Escape")
    assert browser.run("document.getElementById('search').value") == ""
    assert browser.run("document.querySelectorAll('[data-find][hidden], .faded').length") == 0


def test_the_keyboard_reaches_a_layer(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run(f"document.querySelector('{FAULT}').focus()")
    browser.press("Enter", "\r")
    assert browser.run("document.activeElement.parentElement.open && document.activeElement.localName") == "summary"
    assert browser.run("document.activeElement.querySelector('.name').textContent") == "pool4"


def test_what_a_screen_reader_is_told(browser: Browser, report: Path) -> None:
    browser.open(report)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    told = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
    assert ("link", "the first that differs: pool4, Pooling: wrong by itself") in told
    assert ("navigation", "The net's layers") in told
    assert ("searchbox", "Search") in told
    assert [told for told in told if told[0] in ("link", "img", "image", "region", "table") and not told[1]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: Browser, report: Path, scheme: str) -> None:
    browser.open(report, scheme=scheme)
    ratios = browser.run((Path(__file__).parent / "contrast.js").read_text())
    assert len(ratios) > 10
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_print_opens_what_is_wrong(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run("document.querySelector('details.layer.wrong').open = false")
    pages = browser.call("Page.printToPDF")["data"]
    assert len(pages) > 10_000
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelector('details.layer.wrong').open")
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    assert not browser.run("document.querySelector('details.layer.wrong').open")
