"""The command line starts fast: what only says how it is used, or that it was used wrongly, brings no torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from recaffe.tools.main import COMMANDS

RECAFFE = Path(sys.executable).with_name("recaffe")
HEAVY = ("torch", "numpy", "cv2")
RUNS = """
import contextlib, io, sys
from recaffe.tools.main import main
for line in sys.stdin.read().splitlines():
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as out:
        main(line.split())
    assert "--help" not in line or out.getvalue().startswith("usage: recaffe"), line
    heavy = [name for name in sys.argv[1:] if name in sys.modules]
    assert not heavy, (line, heavy)
"""


def test_neither_help_nor_a_wrong_call_brings_torch() -> None:
    calls = ["--help", "--version", "", "verfy", "no-such", "--hepl", "data check --help", "data shapes --nosuch"]
    calls += [f"{name} {word}" for name in COMMANDS for word in ("--help", "a b c --nosuch")]
    command = [sys.executable, "-c", RUNS, *HEAVY]
    done = subprocess.run(command, input="\n".join(calls), capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    # Each of the calls that end with a fault says so in one line.
    assert len(done.stderr.splitlines()) == 5 + len(COMMANDS)


def test_a_call_that_only_tells_takes_little_time() -> None:
    """Of CPU time 0.1 s; 2 s with torch. The bound leaves room for a slow machine."""
    for words in (["--help"], ["verfy"], ["port", "--help"], ["verify", "--islate", "x"]):
        before = os.times()
        subprocess.run([RECAFFE, *words], capture_output=True, cwd="/")
        after = os.times()
        spent = sum(after[2:4]) - sum(before[2:4])  # of children that have ended
        assert spent < 1.0, words
