"""The pages are true: their blocks run in order and print what is shown, and their links lead somewhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import recaffe
from recaffe.tools.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
FRONT = ROOT / "README.md"
PAGES = [FRONT, *sorted((ROOT / "docs").glob("*.md"))]
FLOORS = ("layers", "prototxt", "golden", "tools")
LONGEST_FRONT = 100
LEFT = {"golden", "prototxt", "out"}
"""What lies beside a page's blocks when they have run: links to the checkout, and what git ignores."""
MEASURED = {"bench"}
"""Commands that run for minutes, and whose tests are their numbers."""
FENCE = re.compile(r"(?:^<!-- (not run|cut short): .+? -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


class Block(NamedTuple):
    """A fenced block, the line that it starts at, and how it is run."""

    language: str
    code: str
    line: int
    how: str


def blocks(page: Path) -> list[Block]:
    """Every fenced block; a comment before it may say `<!-- not run: REASON -->`, or `<!-- cut short: REASON -->`."""
    text = page.read_text()
    return [Block(m[2], m[3], text.count("\n", 0, m.start(2)) + 1, m[1] or "whole") for m in FENCE.finditer(text)]


def shortened(code: str) -> str:
    """Two iterations for what trains for minutes, in arguments and names, on eight pictures."""
    code = re.sub(r"recaffe data shapes \S+", r"\g<0> --images 8", code)
    return re.sub(r"(?<!\d)\d{4,}(?!\d)", "2", code)


def output_of(code: str, language: str, folder: Path) -> str:
    runner = {"python": [sys.executable, "-c"], "sh": ["sh", "-ec"]}[language]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [*runner, code],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@every_page
def test_the_blocks_run_one_after_another(page: Path, tmp_path: Path) -> None:
    """In one folder; a block of text is what the block before it printed, `...` for what is left out."""
    for room in ("golden", "prototxt"):
        (tmp_path / room).symlink_to(ROOT / room)
    printed = ""
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.language == "text":
            shown = [line for line in block.code.splitlines() if line.strip() != "..."]
            assert [line for line in shown if line not in printed] == [], f"{where}: not printed"
        elif block.how != "not run":
            print(where)
            code = shortened(block.code) if block.how == "cut short" else block.code
            printed = output_of(code, block.language, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= LEFT, "a checkout keeps clean: let blocks write to out/"


def test_every_fence_is_understood() -> None:
    """None is indented, and none is of a language that would go untested."""
    for page in PAGES:
        lines = page.read_text().splitlines()
        assert sum(line.lstrip().startswith("```") for line in lines) == 2 * len(FENCE.findall(page.read_text())), page
        assert {block.language for block in blocks(page)} <= {"python", "sh", "text"}, page


def entered(code: str) -> Iterator[tuple[str, str]]:
    """The modules of ours that a block imports from, and the names."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "recaffe":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "recaffe")


@every_page
def test_python_comes_in_by_the_front_door(page: Path) -> None:
    for block in (block for block in blocks(page) if block.language == "python"):
        for module, name in entered(block.code):
            place = f"{page.name}:{block.line}"
            assert module == "recaffe", f"{place}: {module} is not the front door"
            assert name in recaffe.__all__, f"{place}: recaffe does not show {name!r}"


def test_the_front_door_shows_all_that_it_names() -> None:
    assert sorted(recaffe.__all__) == sorted(dir(recaffe))
    assert all(getattr(recaffe, name) for name in recaffe.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nett'"):
        _ = recaffe.Nett  # type: ignore[attr-defined]


def test_the_front_page_is_short_and_lists_every_command() -> None:
    text = FRONT.read_text()
    assert len(text.splitlines()) <= LONGEST_FRONT
    rows = re.findall(r"^\| (`[^|]+`) \|[^|]+\| .*\]\(docs/", text, re.MULTILINE)
    listed = [word for row in rows for word in re.findall(r"`([\w-]+)`", row)]
    assert sorted(listed) == sorted(COMMANDS), "README.md's table of commands; see docs/contributing.md#add-a-command"


def test_a_command_has_what_contributing_asks() -> None:
    """A module and a test of its name; that its module is complete, tests/tools/test_main.py knows."""
    stems = {name.replace("-", "_") for name in COMMANDS} - MEASURED
    asked = [f"tools/commands/{stem}.py" for stem in stems] + [f"tests/tools/commands/test_{stem}.py" for stem in stems]
    missing = [file for file in asked if not (ROOT / file).is_file()]
    assert not missing, f"missing: {', '.join(missing)}; docs/contributing.md#add-a-command says how to write it"


def test_contributing_names_every_room() -> None:
    text = (ROOT / "docs" / "contributing.md").read_text()
    rooms = [
        door.parent.relative_to(ROOT).as_posix() for door in ROOT.glob("*/*/__init__.py") if door.parts[-3] in FLOORS
    ]
    assert len(rooms) > 10
    assert [room for room in rooms if f"| `{room}/` |" not in text] == []


def test_there_are_blocks_of_both_languages() -> None:
    assert {block.language for page in PAGES for block in blocks(page)} >= {"python", "sh"}


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert named <= targets


def anchors(page: Path) -> set[str]:
    """What a link to a heading says behind `#`."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", page.read_text())):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {link}"
            assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_every_page_is_linked_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert [page.name for page in PAGES[1:] if page.name != "README.md" and f"({page.name})" not in index] == []
