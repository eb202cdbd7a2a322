"""The command line: `recaffe COMMAND ...`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import NoReturn

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
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Name the fault and the way to the help."""
        self.exit(FAILED, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; faults that the user can mend end it with one line and status 2.

    The environment variable RECAFFE_TRACEBACK=1 shows where such a fault came from.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # oneDNN keeps the kernels of its last 1,024 shapes, and pictures of many sizes have more.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "20000")
    name = "recaffe"
    try:
        args = _parser(words).parse_args(words, argparse.Namespace(words=words))
        name = f"recaffe {args.command}"
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit must not fail again
        return PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:
        line = _explain(error)
        if line is None or os.environ.get("RECAFFE_TRACEBACK") == "1":
            raise
        print(f"{name}: {line}", file=sys.stderr)
        return FAILED


def _parser(words: Sequence[str]) -> CommandParser:
    """The parser: with the one command that is asked for, or with all of them to list."""
    parser = CommandParser(prog="recaffe", description="Caffe's detection nets in PyTorch, with Caffe's own numbers.")
    parser.add_argument("--version", action="version", version=f"recaffe {version('recaffe')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    if words[:1] == ["--version"]:
        return parser
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        module = module_of(name)
        command = commands.add_parser(module.NAME, help=module.HELP, description=module.__doc__)
        module.configure(command)
        command.set_defaults(run=module.run)
    return parser


def module_of(name: str) -> ModuleType:
    """The module of a command."""
    return import_module(f".commands.{name.replace('-', '_')}", __package__)


def _explain(error: BaseException) -> str | None:
    """The one line for a fault that the user can mend; None for a defect of ours."""
    from ..golden import GoldenError  # here, as they bring torch, and `--version` needs none
    from ..layers import LayerError
    from ..prototxt import PrototxtError
    from .errors import CommandError

    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error) or "out of memory" in str(error):
        return _one_line(error) or "out of memory"
    if isinstance(error, PrototxtError | LayerError | GoldenError | CommandError | OSError):
        return _one_line(error)
    return None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def end(status: int) -> NoReturn:
    """End the process."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        # Threads of torch's process group outlive it, and one that wants Python while Python ends aborts the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
