"""Finding fixtures: nothing that was named is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.find import find


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fixtures b, a and sub/c, arrays of another kind, and companions."""
    (tmp_path / "sub").mkdir()
    for name in ("b", "a", "sub/c"):
        np.savez(tmp_path / f"{name}.npz", prototxt="", phase="TEST")
    np.savez(tmp_path / "mean.npz", mean=np.zeros(3))
    for name in ("a.caffemodel", "a.prototxt", "README.md"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_a_folder_and_all_below_it(folder: Path) -> None:
    found = find([folder])
    assert found.fixtures == [folder / "a.npz", folder / "b.npz", folder / "sub" / "c.npz"]
    assert (found.others, found.companions) == ([folder / "mean.npz"], 0)
    assert found.note() == f"left out: 1 .npz without a net ({folder}/mean.npz)"


def test_what_a_shell_names_with_a_star(folder: Path) -> None:
    found = find(sorted(path for path in folder.iterdir() if path.is_file()))
    assert found.fixtures == [folder / "a.npz", folder / "b.npz"]
    assert found.note() == f"left out: 1 .npz without a net ({folder}/mean.npz), 3 companion file(s)"


def test_the_order_is_the_callers_and_nothing_comes_twice(folder: Path) -> None:
    found = find([folder / "b.npz", folder / "sub", folder])
    assert found.fixtures == [folder / "b.npz", folder / "sub" / "c.npz", folder / "a.npz"]


def test_a_clean_find_has_no_note(folder: Path) -> None:
    assert find([str(folder / "sub")]).note() == ""


def test_a_damaged_file_is_kept_to_be_told(folder: Path) -> None:
    (folder / "sub" / "d.npz").write_bytes(b"PK")
    assert find([folder / "sub"]).fixtures == [folder / "sub" / "c.npz", folder / "sub" / "d.npz"]


def test_a_folder_without_fixtures_is_refused_even_beside_another(folder: Path) -> None:
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(GoldenError, match=r"empty: no fixture in this folder \(0 \.npz of other kinds\)$"):
        find([folder, empty])


def test_nothing_that_could_run_is_refused(folder: Path) -> None:
    with pytest.raises(GoldenError, match=r"no fixture among the files named; left out: 1 \.npz .*, 1 companion"):
        find([folder / "mean.npz", folder / "a.prototxt"])


def test_a_missing_path(folder: Path) -> None:
    with pytest.raises(GoldenError, match=r"none\.npz: no such file or folder$"):
        find([folder / "none.npz"])
