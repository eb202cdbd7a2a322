"""What a step was begun from and what came of it, kept beside it, so that a second run knows where to go on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....prototxt.files import whole_file
from ..errors import TrainingError

_FILE = "step.json"


def digest_of_text(text: str) -> str:
    """A digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_file(path: Path) -> str:
    """A digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Mark:
    """A step's folder, and digests of all that decides its result, by what they are of."""

    folder: Path
    inputs: Mapping[str, str]

    def result(self, force: bool = False) -> Path | None:
        """The file that the step gave; None where it is to begin or to go on, and its folder is there.

        A folder that was begun from other inputs, or whose result has changed since, is refused, with `force` emptied.
        """
        found = self._read()
        fault = self._fault(found)
        if fault and not force:
            told = f"{self.folder}: {fault}: force=True begins it anew, or choose another out="
            raise TrainingError(told, choices=("force", "out"))
        if fault:
            shutil.rmtree(self.folder)
        elif found and found["result"]:
            return self.folder / str(found["result"])
        self._write(None)
        return None

    def done(self, result: Path) -> Path:
        """Say that this file in the folder is what came of it."""
        self._write(result)
        return result

    def _read(self) -> dict[str, Any] | None:
        path = self.folder / _FILE
        if not path.exists():
            if self.folder.exists() and any(self.folder.iterdir()):
                raise TrainingError(
                    f"{self.folder}: holds files of something else: choose another out=", choices=("out",)
                )
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {name: found[name] for name in ("inputs", "result", "sha256")}
        except (ValueError, TypeError, KeyError):
            raise TrainingError(
                f"{path}: is none that was written here: choose another out=", choices=("out",)
            ) from None

    def _fault(self, found: dict[str, Any] | None) -> str:
        if found is None:
            return ""
        if unlike := [name for name in self.inputs if found["inputs"].get(name) != self.inputs[name]]:
            return f"was begun from another {', '.join(unlike)}"
        if found["result"]:
            path = self.folder / found["result"]
            if not path.exists() or digest_of_file(path) != found["sha256"]:
                return f"its {found['result']} is no longer the one that it gave"
        return ""

    def _write(self, result: Path | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        told = {
            "inputs": dict(self.inputs),
            "result": result and result.name,
            "sha256": result and digest_of_file(result),
        }
        with whole_file(self.folder / _FILE, force=True) as part:
            part.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
