"""A written Python module, run again: whole, and line by line."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from ...prototxt.files import Floats


class PythonRun:
    """What lies in NAME.py and, beside it, NAME.safetensors."""

    def __init__(self, path: Path) -> None:
        self.module = _imported(path)
        self.net = self.module.load()

    @torch.no_grad()
    def chained(self, feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        """One forward that keeps every blob."""
        kept: dict[str, Tensor] = {}
        self.net(*feed.values(), keep=kept)
        return {blob: tensor.numpy() for blob, tensor in kept.items()}

    @torch.no_grad()
    def alone(self, blobs: Mapping[str, Tensor]) -> dict[str, Floats]:
        """The lines of forward one after another; what a blob's last line gave makes room for the blob handed in."""
        function = ast.parse(textwrap.dedent(inspect.getsource(self.module.Net.forward))).body[0]
        assert isinstance(function, ast.FunctionDef)
        names = _variables(function)
        lines = [line for line in function.body if isinstance(line, ast.Assign)]
        last = {variable: line for line in lines for variable in _targets(line)}
        given = {variable: blobs[blob] for blob, variable in names.items() if variable not in last}
        scope: dict[str, Any] = {**vars(self.module), "self": self.net, **given}
        made: dict[str, Floats] = {}
        for line in lines:
            exec(compile(ast.Module([line], []), f"{self.module.__file__}:{line.lineno}", "exec"), scope)
            for blob, variable in names.items():
                if last.get(variable) is line:
                    made[blob] = scope[variable].numpy()
                    scope[variable] = blobs[blob]
        return made


def _imported(path: Path) -> ModuleType:
    """The module of a file, without the compiled copy that an import would leave beside it."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), vars(module))
    return module


def _targets(line: ast.Assign) -> list[str]:
    """The variables that a line gives."""
    return [node.id for target in line.targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def _variables(function: ast.FunctionDef) -> dict[str, str]:
    """The variable of each blob, as `keep.update({blob: variable, ...})` names them."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    kept = next(call.args[0] for call in calls if ast.unparse(call.func) == "keep.update")
    found: dict[str, ast.Name] = {}
    if isinstance(kept, ast.Dict):
        found = {
            ast.literal_eval(k): v for k, v in zip(kept.keys, kept.values, strict=True) if k and isinstance(v, ast.Name)
        }
    return {blob: variable.id for blob, variable in found.items()}
