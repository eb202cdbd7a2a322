"""The README is true: its blocks run, in order to be copied, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()


class Block(NamedTuple):
    """A fenced block, the line that it starts at, and how it is run."""

    language: str
    code: str
    line: int
    how: str


def blocks() -> list[Block]:
    """Every fenced block; a comment before it may say `<!-- not run: REASON -->`, or `<!-- cut short: REASON -->`."""
    fence = re.compile(r"(?:^<!-- (not run|cut short): .+? -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [Block(m[2], m[3], TEXT.count("\n", 0, m.start(2)) + 1, m[1] or "whole") for m in fence.finditer(TEXT)]


RUN = [block for block in blocks() if block.how == "whole"]


def run(code: str, language: str, folder: Path) -> None:
    for room in ("golden", "prototxt"):
        if not (folder / room).exists():
            (folder / room).symlink_to(ROOT / room)
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


@pytest.mark.parametrize("block", RUN, ids=lambda block: f"line {block.line}")
def test_a_block_runs(block: Block, tmp_path: Path) -> None:
    run(block.code, block.language, tmp_path)


def test_what_trains_for_minutes_runs_for_two_iterations(tmp_path: Path) -> None:
    short = [block for block in blocks() if block.how == "cut short"]
    assert len(short) == 4
    for block in short:
        code = block.code.replace("recaffe data shapes shapes", "recaffe data shapes shapes --images 8")
        run(re.sub(r"(?<!\d)\d{4,}(?!\d)", "2", code), block.language, tmp_path)  # iterations, in arguments and names


def test_there_are_blocks_of_both_languages() -> None:
    assert {block.language for block in RUN} == {"python", "sh"}


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", "".join(block.code for block in blocks())))
    assert named
    assert named <= targets


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
