from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.tools.datasets.annotations.xml_lines import read_xml
from recaffe.tools.datasets.errors import DataError


def test_elements_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<a>\n <!-- <b/> -->\n <b>4&amp;5</b>\n <c\n x='1'><b> 6 </b></c></a>")
    root = read_xml(path)
    assert [(child.tag, child.line, child.text) for child in root.children] == [("b", 3, "4&5"), ("c", 4, "")]
    assert root.need("c").need("b").number() == 6
    assert root.find("d") is None
    with pytest.raises(DataError, match=r"a.xml:3: <b> is '4&5', not a number"):
        root.need("b").number()


@pytest.mark.parametrize(
    ("text", "told"), [("", ":1: is not XML: no element found"), ("<a>\n<b></a>", ":2: is not XML: mismatched tag")]
)
def test_faults(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        read_xml(path)
    assert str(error.value) == f"{path}{told}"
