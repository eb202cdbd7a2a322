"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import DataError


@contextmanager
def whole_folder(folder: str | Path, force: bool = False) -> Iterator[Path]:
    """Give an empty folder beside it to fill, which becomes the folder in the end, after a fault nothing.

    A folder that is there already is refused, or with `force` replaced.
    """
    target = Path(folder)
    if os.path.lexists(target) and (not force or not target.is_dir()):
        way_out = " (force=True replaces it)" if target.is_dir() else ""
        raise DataError(f"{target}: exists already{way_out}", choices=("force",))
    part, old = (target.with_name(f".{what}-{os.getpid()}-{target.name}") for what in ("part", "old"))
    try:
        part.mkdir()
        yield part
        if target.exists():
            target.replace(old)
        part.replace(target)
    finally:
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)
