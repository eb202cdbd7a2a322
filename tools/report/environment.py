"""What a report was made with: versions, the machine, the command, and the SHA-256 of every file."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ..commands import examine
from .passages import Heading, Passage, Table

_PACKAGE = Path(__file__).parents[2]
_NOT_TOLD = ("--html", "--output", "--force")
"""Options that say where a report goes, not what is in it."""
_COLUMNS = ("what", "is")


def environment(words: Sequence[str], files: Iterable[str | Path]) -> list[Passage]:
    """Tables of this run; nothing in them changes from one run to the next."""
    report = examine()
    machine = {
        **report["machine"],
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "recaffe's code": sources_digest(),
    }
    hashes = [(str(path), sha256(path)) for path in dict.fromkeys(map(Path, files))]
    return [
        Heading("Environment"),
        Table("Command", _COLUMNS, [("command", told_command(words))]),
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


def told_command(words: Sequence[str]) -> str:
    """The command line without what says where the report goes."""
    kept, skip = ["recaffe"], False
    for word in words:
        option, assigned, _ = word.partition("=")
        named = next((name for name in _NOT_TOLD if len(option) > 2 and name.startswith(option)), "")
        if not named and not skip:
            kept.append(word)
        skip = named in ("--html", "--output") and not assigned
    return shlex.join(kept)


def sha256(path: str | Path) -> str:
    """The digest of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def sources_digest() -> str:
    """Of recaffe's own code: a result holds for the code that gave it."""
    digest = hashlib.sha256()
    for room in ("layers", "prototxt", "golden", "tools"):
        for path in sorted((_PACKAGE / room).rglob("*")):
            if path.suffix in (".py", ".cpp", ".h") and "fixtures" not in path.parts:
                digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
