"""A report of a wrong net, and Chromium to look at it with, where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recaffe.tools.main import main

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")
_EXEC = """
import os, sys
for given, aside in zip(sys.argv[1:3], (103, 104)): os.dup2(int(given), aside)
for aside, wanted in ((103, 3), (104, 4)): os.dup2(aside, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads from file 3 and writes to 4."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wrong net lies: pool4 averages, and its name is one to be escaped."""
    folder = tmp_path_factory.mktemp("report")
    text = (NETS / "frcnn_test.prototxt").read_text()
    old = 'top: "pool4" pooling_param { pool: MAX'
    assert old in text
    (folder / "a<b>&c.prototxt").write_text(text.replace(old, old.replace("MAX", "AVE")))
    return folder


@pytest.fixture(scope="session")
def report(folder: Path) -> Path:
    """The report of the wrong net, of a solver's steps that are right and of a file that is no fixture."""
    path = folder / "report.html"
    (folder / "broken.npz").write_bytes(b"PK no zip")
    golden = (NETS / "frcnn_test.npz", folder / "broken.npz")
    words = ("compare", folder / "a<b>&c.prototxt", NETS / "frcnn_test.caffemodel", *golden, "--html", path)
    assert main([*map(str, words)]) == 2
    return path


class Browser:
    """Chromium by its DevTools protocol over a pipe: messages are JSON with a zero byte behind."""

    def __init__(self, profile: Path) -> None:
        assert BROWSER is not None
        (theirs, self.send), (self.receive, answers) = os.pipe(), os.pipe()
        words = [sys.executable, "-c", _EXEC, str(theirs), str(answers), BROWSER, *_OPTIONS]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([*words, f"--user-data-dir={profile}"], pass_fds=(theirs, answers), **quiet)
        os.close(theirs), os.close(answers)
        self.number, self.rest, self.session = 0, b"", None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Do something and wait for the answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.send, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            part = os.read(self.receive, 1 << 20)
            assert part, "the browser is gone"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, path: Path, width: int = 1400, height: int = 900, scheme: str = "light") -> None:
        """Load a page and wait until it is there; nothing moves slowly on it."""
        media = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def click(self, selector: str) -> None:
        """A click of the mouse at the middle of an element, once it is in sight."""
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        box = self.run(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)
        self.settle()

    def press(self, key: str, text: str = "") -> None:
        """A key of the keyboard."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.settle()

    def settle(self) -> None:
        """Wait until the page is drawn again."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)
        os.close(self.send), os.close(self.receive)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a window; only these tests may be skipped, where there is none."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed: the report is only tested as text")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()
