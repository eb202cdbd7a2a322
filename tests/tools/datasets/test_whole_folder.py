from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.tools.datasets.errors import DataError
from recaffe.tools.datasets.whole_folder import whole_folder


def fill(folder: Path, text: str, force: bool = False, fault: Exception | None = None) -> None:
    with whole_folder(folder, force) as part:
        (part / "a").write_text(text)
        if fault:
            raise fault


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fill(tmp_path / "x", "1", fault=KeyError("a bug"))
    assert list(tmp_path.iterdir()) == []
    fill(tmp_path / "x", "1")
    with pytest.raises(DataError, match=r"x: exists already \(force=True replaces it\)"):
        fill(tmp_path / "x", "2")
    with pytest.raises(KeyError):
        fill(tmp_path / "x", "2", force=True, fault=KeyError("a bug"))
    assert (tmp_path / "x" / "a").read_text() == "1"
    fill(tmp_path / "x", "2", force=True)
    assert (tmp_path / "x" / "a").read_text() == "2"
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(DataError, match=r"x: exists already$"):
        fill(tmp_path / "x", "1", force=True)
