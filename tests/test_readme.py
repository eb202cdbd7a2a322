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
    """A fenced block, the line that it starts at, and why it is not run, if so."""

    language: str
    code: str
    line: int
    reason: str


def blocks() -> list[Block]:
    """Every fenced block; one after a comment `<!-- not run: REASON -->` is left out of the test."""
    fence = re.compile(r"(?:^<!-- not run: (.+?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [Block(m[2], m[3], TEXT.count("\n", 0, m.start(2)) + 1, m[1] or "") for m in fence.finditer(TEXT)]


RUN = [block for block in blocks() if not block.reason]


@pytest.mark.parametrize("block", RUN, ids=lambda block: f"line {block.line}")
def test_a_block_runs(block: Block, tmp_path: Path) -> None:
    (tmp_path / "golden").symlink_to(ROOT / "golden")
    runner = {"python": [sys.executable, "-c"], "sh": ["sh", "-ec"]}[block.language]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [*runner, block.code],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr + done.stdout


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
