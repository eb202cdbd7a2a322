"""The command line that a report tells."""

from __future__ import annotations

import pytest

from recaffe.tools.commands.arguments.told_command import told_command


@pytest.mark.parametrize(
    "words", ["", "--html r.html", "--html=r.html --force", "--ht r.html --forc", "--output x", "--out=x"]
)
def test_where_a_report_goes_is_not_told(words: str) -> None:
    told = told_command(["compare", "a b.prototxt", "-", *words.split(), "--set", "TEST.NMS", "0.4"])
    assert told == "recaffe compare 'a b.prototxt' - --set TEST.NMS 0.4"
