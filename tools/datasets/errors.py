"""The errors of this folder."""

from __future__ import annotations

from pathlib import Path

from ...errors import RecaffeError


class DataError(RecaffeError):
    """A data set cannot be used, or not so."""


class DataFileError(DataError):
    """A file of a data set cannot be used; `line` is 0 where it has none."""

    def __init__(self, file: Path, line: int, what: str) -> None:
        super().__init__(f"{file}:{line}: {what}" if line else f"{file}: {what}")
        self.file, self.line, self.what = file, line, what
