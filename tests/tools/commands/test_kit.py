"""`recaffe kit`: the script comes out as it is, runs by itself, and is text that Python 2.7 reads, too."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from recaffe.tools.main import main

SCRIPT = Path(__file__).parents[3] / "golden" / "dump_caffe.py"
NEWER = (
    ast.AnnAssign,
    ast.AsyncFor,
    ast.AsyncFunctionDef,
    ast.AsyncWith,
    ast.Await,
    ast.FormattedValue,
    ast.JoinedStr,
    ast.MatMult,
    ast.Match,
    ast.NamedExpr,
    ast.Nonlocal,
    ast.Starred,
    ast.TryStar,
    ast.YieldFrom,
)
"""Nodes that no text of Python 2.7 has; a star is known there among a call's arguments alone."""
MODULES = {"argparse", "collections", "hashlib", "importlib", "io", "json", "numpy", "os", "platform", "re", "sys"}
MODULES |= {"__future__", "codecs", "time", "types", "zipfile"}
NAMES = {"FileExistsError", "FileNotFoundError", "ModuleNotFoundError", "PermissionError", "TimeoutError", "breakpoint"}
WORDS = {"exist_ok", "flush", "encoding", "start_new_session", "parents", "missing_ok"}
"""Keywords of functions that have them since Python 3; io.open had its encoding before."""


def too_new(text: str) -> Iterator[str]:
    """What Python 2.7 would not take, each with its line."""
    tree = ast.parse(text)
    starred = {arg for node in ast.walk(tree) if isinstance(node, ast.Call) for arg in node.args}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, NEWER) and node not in starred:
            yield f"{line}: {type(node).__name__}"
        yield from (f"{line}: {what}" for what in _too_new(node))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NUMBER and "_" in token.string:
            yield f"{token.start[0]}: {token.string}"
        if token.type == tokenize.STRING and re.match(r"(?i)u?f|rb", token.string):
            yield f"{token.start[0]}: {token.string}"
    if not text.isascii():
        yield "0: not ASCII"


def _too_new(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        args = node.args
        if args.kwonlyargs or args.posonlyargs:
            yield "arguments by keyword or position alone"
        if any(arg.annotation for arg in [*args.args, args.vararg, args.kwarg] if arg):
            yield "annotation"
    if isinstance(node, ast.FunctionDef) and node.returns:
        yield "annotation"
    if isinstance(node, ast.ClassDef) and (node.keywords or not node.bases):
        yield "a class without a base, or with keywords"
    if isinstance(node, ast.Raise) and node.cause:
        yield "raise from"
    if isinstance(node, ast.Dict) and None in node.keys:
        yield "** in a dictionary"
    if isinstance(node, ast.Call):
        stars = [k for k, arg in enumerate(node.args) if isinstance(arg, ast.Starred)]
        doubles = sum(keyword.arg is None for keyword in node.keywords)
        if len(stars) > 1 or doubles > 1 or (stars and stars[0] != len(node.args) - 1):
            yield "arguments behind or beside a star"
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            yield "super()"
        name = ast.unparse(node.func)
        yield from (f"{name}({k.arg}=)" for k in node.keywords if k.arg in WORDS and name != "io.open")
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield node.id
    if isinstance(node, ast.Import | ast.ImportFrom):
        found = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        yield from (f"import {module}" for module in found if module not in MODULES)


def test_the_script_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kit"]) == 0
    assert capsys.readouterr().out == SCRIPT.read_text()


def test_a_file_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "dump_caffe.py"
    assert main(["kit", "--output", str(target)]) == 0
    assert target.read_bytes() == SCRIPT.read_bytes()
    assert main(["kit", "--output", str(target)]) == 2
    assert capsys.readouterr().err == f"recaffe kit: {target}: exists already (--force replaces it)\n"
    target.write_text("mine")
    assert main(["kit", "--output", str(target), "--force"]) == 0
    assert target.read_bytes() == SCRIPT.read_bytes()
    assert list(tmp_path.iterdir()) == [target]


def test_it_runs_alone(tmp_path: Path) -> None:
    script = tmp_path / "dump_caffe.py"
    script.write_bytes(SCRIPT.read_bytes())
    call = [sys.executable, "-S", "-c", f"import runpy; runpy.run_path({str(script)!r}, run_name='other')"]
    numpy = f"import sys; sys.path.append({str(Path(sys.modules['numpy'].__path__[0]).parent)!r}); "
    call[-1] = numpy + call[-1] + "; print('recaffe' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False False\n", "")


def test_help_shows_the_ways_to_call_it() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert all(f"\n    python dump_caffe.py {what}" in done.stdout for what in ("test", "train", "lenet"))


def test_the_script_is_python_2_as_well() -> None:
    assert list(too_new(SCRIPT.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "f'{x}'",
        "def f(a: int): pass",
        "def f() -> int: pass",
        "def f(*, a): pass",
        "def f(a, /): pass",
        "x: int = 1",
        "a, *b = c",
        "[*a, 1]",
        "f(*a, 1)",
        "{**a}",
        "raise A from b",
        "class A: pass",
        "class A(object, metaclass=B): pass",
        "(a := 1)",
        "a @ b",
        "1_000",
        "rb'x'",
        "import pathlib",
        "from functools import cache",
        "os.makedirs(a, exist_ok=True)",
        "print(a, flush=True)",
        "open(a, encoding='utf-8')",
        "super().f()",
        "try: pass\nexcept FileNotFoundError: pass",
        "def f():\n x = 1\n def g():\n  nonlocal x",
        "async def f(): await g()",
        "'é'",
    ],
)
def test_what_python_2_lacks_is_found(text: str) -> None:
    assert list(too_new(text)) != []
