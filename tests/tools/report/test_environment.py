"""What a report tells of its making: code by its digest, the golden's machine."""

from __future__ import annotations

from recaffe.tools.report.environment import golden_environment, sources_digest


def test_code_has_a_digest() -> None:
    assert len(sources_digest()) == 64


def test_the_goldens_machine() -> None:
    (table,) = golden_environment("a.npz", {"versions": {"numpy": "1"}, "argv": "x"})
    assert golden_environment("a.npz", {}) == []
    assert "a.npz" in str(table)
    assert "('argv', 'x'), ('versions', '{\"numpy\": \"1\"}')" in str(table)
