"""What a layer type's contract tells."""

from __future__ import annotations

import inspect

import pytest

from recaffe.layers import registered
from recaffe.tools.report.contract import contract_text, fields_of


@pytest.mark.parametrize("name", registered())
def test_every_contract_can_be_read(name: str) -> None:
    cls = registered()[name]
    text = contract_text(name, cls)
    assert inspect.getdoc(cls) in text
    assert all(f"  {field.name} " in text and field.takes for field in fields_of(cls))
