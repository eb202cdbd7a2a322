"""The registry of rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.golden.diagnosis.causes.rule import rule, rules
from recaffe.layers.base.registry import registered

TESTS = Path(__file__).parents[1]


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="rule 'LRN region' is registered already"):
        rule("LRN region")(lambda case: iter(()))


def test_rules_name_layer_types() -> None:
    assert {kind for rule in rules() for kind in rule.types} <= set(registered())


def test_every_rule_is_tested() -> None:
    text = "".join(path.read_text() for path in [*TESTS.glob("causes/test_*_mistakes.py"), TESTS / "test_mutations.py"])
    assert len(rules()) > 20
    assert [rule.name for rule in rules() if f'"{rule.name}"' not in text] == []
