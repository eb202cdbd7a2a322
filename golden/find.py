"""Which files among the paths given are fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import GoldenError
from .npz import is_piece, npz_keys

_COMPANIONS = (".caffemodel", ".prototxt", ".solverstate", ".h5", ".binaryproto", ".json", ".md", ".py", ".txt")
"""What lies beside fixtures, and so among the files that a shell's `*` names."""


@dataclass(frozen=True)
class FixtureSearch:
    """Fixtures in the order asked for, folders sorted; what else was met must be told, not passed over."""

    fixtures: list[Path]
    others: list[Path]
    """.npz files of another kind: without a net there is nothing to run."""
    companions: int
    """Named files of other kinds that were left out."""

    def note(self) -> str:
        """What was left out, in one line; empty if nothing was."""
        notes = []
        if self.others:
            more = f" and {len(self.others) - 3} more" if len(self.others) > 3 else ""
            names = ", ".join(map(str, self.others[:3]))
            notes.append(f"{len(self.others)} .npz without a net ({names}{more})")
        if self.companions:
            notes.append(f"{self.companions} companion file(s)")
        return f"left out: {', '.join(notes)}" if notes else ""


def find(paths: Iterable[str | os.PathLike[str]]) -> FixtureSearch:
    """Look through files and folders (with all below them); each folder must hold a fixture."""
    fixtures: dict[Path, Path] = {}
    others: dict[Path, Path] = {}
    companions = 0
    for path in map(Path, paths):
        if not path.exists():
            raise GoldenError(f"{path}: no such file or folder")
        if path.is_file() and (path.suffix in _COMPANIONS or is_piece(path)):
            companions += 1
            continue
        files = sorted(file for file in path.rglob("*.npz") if not is_piece(file)) if path.is_dir() else [path]
        mine = [file for file in files if _may_be_fixture(file)]
        if path.is_dir() and not mine:
            raise GoldenError(f"{path}: no fixture in this folder ({len(files)} .npz of other kinds)")
        fixtures |= {file.resolve(): file for file in mine if file.resolve() not in fixtures}
        others |= {file.resolve(): file for file in files if file not in mine}
    found = FixtureSearch(list(fixtures.values()), list(others.values()), companions)
    if not found.fixtures:
        raise GoldenError(f"no fixture among the files named{'; ' if found.note() else ''}{found.note()}")
    return found


def _may_be_fixture(path: Path) -> bool:
    """A file that cannot be opened and a piece without its file count: loading them tells why."""
    keys = npz_keys(path)
    return keys is None or "prototxt" in keys or "piece" in keys
