"""What a report tells of its making: the command without where it went, code by its digest."""

from __future__ import annotations

import pytest

from recaffe.tools.report.environment import golden_environment, sources_digest, told_command


@pytest.mark.parametrize(
    "words", ["", "--html r.html", "--html=r.html --force", "--ht r.html --forc", "--output x", "--out=x"]
)
def test_where_a_report_goes_is_not_told(words: str) -> None:
    told = told_command(["compare", "a b.prototxt", "-", *words.split(), "--set", "TEST.NMS", "0.4"])
    assert told == "recaffe compare 'a b.prototxt' - --set TEST.NMS 0.4"


def test_code_has_a_digest() -> None:
    assert len(sources_digest()) == 64


def test_the_goldens_machine() -> None:
    (table,) = golden_environment("a.npz", {"versions": {"numpy": "1"}, "argv": "x"})
    assert golden_environment("a.npz", {}) == []
    assert "a.npz" in str(table)
    assert "('argv', 'x'), ('versions', '{\"numpy\": \"1\"}')" in str(table)
