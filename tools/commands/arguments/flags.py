"""A library's words in those of a command line: for the keyword argument `force=True` the flag `--force`."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable, Mapping

from ....errors import RecaffeError


def told(error: Exception, flags: Mapping[str, str]) -> str:
    """An error's text, in the flags of the running command."""
    return in_flags(str(error), error.choices, flags) if isinstance(error, RecaffeError) else str(error)


def told_of_case(error: Exception, flags: Mapping[str, str]) -> str:
    """The same for one case of many, after which the next is run: a defect of ours is named as one, in one line.

    With RECAFFE_TRACEBACK=1 in the environment it is shown where the error came from.
    """
    if os.environ.get("RECAFFE_TRACEBACK") == "1":
        traceback.print_exception(error)
    if isinstance(error, RecaffeError | OSError):
        return told(error, flags)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{text} (a defect of recaffe, please report it; RECAFFE_TRACEBACK=1 shows where it arose)"


def in_flags(text: str, choices: Iterable[str], flags: Mapping[str, str]) -> str:
    """A text with flags in place of those keyword arguments that are choices, where the command has them.

    `force=True` and a lone `images=` become a flag alone, `dialect=bvlc` becomes a flag and its value. A field of a
    record goes by both names: the choice `allow_missing` is `Allow(missing=True)` in the text.
    """
    for choice in choices:
        if flag := flags.get(choice):
            record, _, field = choice.partition("_")
            text = text.replace(f"{record.capitalize()}({field}=True)", flag)
            text = re.sub(rf"(?<![\w.]){choice}=(?:True\b|(?![\w'./-]))", flag, text)
            text = re.sub(rf"(?<![\w.]){choice}=", f"{flag} ", text)
    return text
