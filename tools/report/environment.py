"""What a report was made with: versions, the machine, the command, and the SHA-256 of every file."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from .html import Heading, Passage, Table
from .installation import examine

_PACKAGE = Path(__file__).parents[2]
_COLUMNS = ("what", "is")


def environment(command: str, files: Iterable[str | Path]) -> list[Passage]:
    """Tables of a run; nothing in them changes from one run to the next.

    `command` is how it is done again, without what says where its report goes.
    """
    report = examine()
    machine = {
        **report["machine"],
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "recaffe's code": sources_digest(),
    }
    hashes = [(str(path), sha256(path)) for path in dict.fromkeys(map(Path, files))]
    return [
        Heading("Environment"),
        Table("Command", _COLUMNS, [("command", command)]),
        Table("Files, by SHA-256", ("file", "SHA-256"), hashes),
        Table("Versions", _COLUMNS, list(report["versions"].items())),
        Table("Machine", _COLUMNS, list(machine.items())),
    ]


def golden_environment(name: str, meta: Mapping[str, Any]) -> list[Passage]:
    """What the golden's own machine told of itself, where its fixture has that."""
    rows = [
        (key, value if isinstance(value, str) else json.dumps(value, sort_keys=True)) for key, value in meta.items()
    ]
    return [Table(f"The golden's machine, as {name} tells", _COLUMNS, sorted(rows))] if rows else []


def sha256(path: str | Path) -> str:
    """The digest of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def sources_digest() -> str:
    """Of recaffe's own code: a result holds for the code that gave it."""
    digest = hashlib.sha256()
    rooms = [sorted((_PACKAGE / room).rglob("*")) for room in ("layers", "prototxt", "golden", "tools")]
    for paths in ([_PACKAGE / "errors.py", _PACKAGE / "nearest.py"], *rooms):
        for path in paths:
            if path.suffix in (".py", ".cpp", ".h") and "fixtures" not in path.parts:
                digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
