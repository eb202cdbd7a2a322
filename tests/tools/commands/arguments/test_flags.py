"""A library's words in those of a command line."""

from __future__ import annotations

import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.tools.commands.arguments.flags import in_flags, told

FLAGS = {"force": "--force", "old": "--from", "images": "--images", "run_nets": "--run"}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("x: exists already (force=True replaces it)", "x: exists already (--force replaces it)"),
        ("not so many: old=a, b", "not so many: --from a, b"),
        ("drop images=", "drop --images"),
        ("say with images=FOLDER where", "say with --images FOLDER where"),
        ("say with images= where (images=), images=./a", "say with --images where (--images), --images ./a"),
        ("(run_nets=True runs it)", "(--run runs it)"),
        ("reinforce=True, a.force=True", "reinforce=True, a.force=True"),
        ("isolate=True tells", "isolate=True tells"),
    ],
)
def test_keyword_arguments_become_flags(text: str, want: str) -> None:
    assert in_flags(text, (*FLAGS, "isolate"), FLAGS) == want


def test_only_what_an_error_names_is_changed() -> None:
    error = PrototxtError("force=True: exists already (force=True replaces it)")
    assert told(error, FLAGS) == str(error)
    error = PrototxtError("a: exists already (force=True replaces it), old=b", choices=("force",))
    assert told(error, FLAGS) == "a: exists already (--force replaces it), old=b"
    assert told(error, {}) == str(error)
    assert told(KeyError("force=True"), FLAGS) == str(KeyError("force=True"))
