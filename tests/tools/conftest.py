"""What tests of commands share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recaffe.tools.main import main


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that is to be refused, and gives its one line."""

    def line(command: str, *words: object) -> str:
        assert main([command, *map(str, words)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        return captured.err.removeprefix(f"recaffe {command}: ").rstrip("\n")

    return line
