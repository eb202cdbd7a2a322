from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.tools.datasets.annotations.json_lines import JsonLists
from recaffe.tools.datasets.errors import DataError

TEXT = """{"a": [1, {"b": "]}"}], "none": null,
 "items": [{"id": 4},

  {"id": 5, "name": "ä\\n"}
 ], "empty": []}
"""


def read(path: Path, text: str) -> object:
    (path / "a.json").write_text(text)
    return JsonLists(path / "a.json").read({"items": "item", "empty": "nothing"})


def test_items_know_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(TEXT)
    lists = JsonLists(tmp_path / "a.json").read({"items": "item", "empty": "nothing"})
    assert [(item.line, item.values["id"], item.name) for item in lists["items"]] == [
        (2, 4, "item 4"),
        (4, 5, "item 5"),
    ]
    assert lists["empty"] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1: is not JSON: expected '{'"),
        ("[]", ":1: is not JSON: expected '{'"),
        ('{"items": [{}', ":1: is not JSON: expected ']'"),
        ('{"items": [\n7]}', ":2: item is 7, not an object"),
        ('{"items":\n[{"id" 4}]}', ":2: is not JSON: Expecting ':' delimiter"),
        ('{"items": {}}', ":1: is not JSON: expected '['"),
        ('{"items": []}', ": has no list 'empty': it is not a COCO file of annotations"),
    ],
)
def test_faults(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    assert str(error.value) == f"{tmp_path}/a.json{told}"
