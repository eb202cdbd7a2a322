"""The command line: `recaffe COMMAND ...`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, NoReturn

from ..errors import RecaffeError
from ..nearest import did_you_mean, nearest
from .commands import told

COMMANDS = (
    "verify",
    "compare",
    "certify",
    "summary",
    "inspect",
    "port",
    "kit",
    "surgery",
    "train",
    "train-alternating",
    "detect",
    "test",
    "anchors",
    "demo",
    "bench",
    "doctor",
    "layers",
    "zoo",
    "data",
)
"""One module of this folder each, with NAME, HELP, configure(parser) and run(args) -> exit status."""
FAILED = 2
PIPE_CLOSED = 141  # what a shell reports of a program whose reader went away, as in `recaffe summary NET | head`


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line; it leaves `flags`, its options by their arguments' names."""

    def error(self, message: str) -> NoReturn:
        """Name the fault and the way to the help."""
        self.exit(FAILED, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse, and refuse what is left over here, where the options that may have been meant are known."""
        found, unknown = super().parse_known_args(args, namespace)
        options = self._option_string_actions
        if unknown:
            word = next((word for word in unknown if word.startswith("--")), "").partition("=")[0]
            near = nearest(word.removeprefix("--"), (option.removeprefix("--") for option in options))
            hint = f"; did you mean '--{near[0]}'?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        flags = {action.dest: max(action.option_strings, key=len) for action in options.values()}
        found.flags = flags | vars(found).get("flags", {})  # those of a sub-command come first
        return found, unknown


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; faults that the user can mend end it with one line and status 2.

    The environment variable RECAFFE_TRACEBACK=1 shows where such a fault came from.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # oneDNN keeps the kernels of its last 1,024 shapes, and pictures of many sizes have more.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "20000")
    name, flags = "recaffe", dict[str, str]()
    try:
        args = _parsed(words)
        name, flags = f"recaffe {args.command}", args.flags
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit must not fail again
        return PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:
        line = _explain(error, flags)
        if line is None or os.environ.get("RECAFFE_TRACEBACK") == "1":
            raise
        print(f"{name}: {line}", file=sys.stderr)
        return FAILED


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of the command that is asked for; only its own are set up, the others are but listed."""
    parser = CommandParser(prog="recaffe", description="Caffe's detection nets in PyTorch, with Caffe's own numbers.")
    parser.add_argument("--version", action="version", version=f"recaffe {version('recaffe')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    asked = next(iter(words), "")
    if asked and not asked.startswith("-") and asked not in COMMANDS:
        parser.error(f"no command {asked!r}{did_you_mean(asked, COMMANDS) or '; there are ' + ', '.join(COMMANDS)}")
    for name in [asked] if asked in COMMANDS else [] if asked == "--version" else COMMANDS:
        module = module_of(name)
        command = commands.add_parser(module.NAME, help=module.HELP, description=module.__doc__)
        if name == asked:
            module.configure(command)
            command.set_defaults(run=module.run)
    args = parser.parse_args(words, argparse.Namespace(words=words))
    if args.command is None:
        parser.error("the following arguments are required: COMMAND")
    return args


def module_of(name: str) -> ModuleType:
    """The module of a command."""
    return import_module(f".commands.{name.replace('-', '_')}", __package__)


def _explain(error: BaseException, flags: Mapping[str, str]) -> str | None:
    """The one line for a fault that the user can mend; None for a defect of ours."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error) or "out of memory" in str(error):
        return _one_line(str(error)) or "out of memory"
    if isinstance(error, RecaffeError | OSError):
        return _one_line(told(error, flags))
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def end(status: int) -> NoReturn:
    """End the process."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        # Threads of torch's process group outlive it, and one that wants Python while Python ends aborts the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
