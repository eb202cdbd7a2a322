"""The command line as a report has it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

_WITH_FILE = ("--html", "--output")
_NOT_TOLD = (*_WITH_FILE, "--force")
"""Options that say where a report goes, not what is in it."""


def told_command(words: Sequence[str]) -> str:
    """The command line without what says where the report goes."""
    kept, skip = ["recaffe"], False
    for word in words:
        option, assigned, _ = word.partition("=")
        named = next((name for name in _NOT_TOLD if len(option) > 2 and name.startswith(option)), "")
        if not named and not skip:
            kept.append(word)
        skip = named in _WITH_FILE and not assigned
    return shlex.join(kept)
