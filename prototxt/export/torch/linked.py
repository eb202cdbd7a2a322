"""The source of functions, and of all of ours that they use: code that runs by itself."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any


class Linked:
    """Definitions of our modules, each once and behind those that it uses, and the imports that they need."""

    def __init__(self, things: Iterable[Callable[..., Any]]) -> None:
        self.imports: set[str] = set()
        self.definitions: dict[str, str] = {}
        """Source by name, in an order in which it runs."""
        self._sources: dict[str, tuple[str, dict[str, ast.stmt]]] = {}
        for thing in things:
            self._take(thing.__name__, thing.__module__)

    def _take(self, name: str, module: str) -> None:
        """Add a name of a module: an import, or a definition with what it uses."""
        source, statements = self._module(module)
        statement = statements.get(name)
        if statement is None:  # Python's own
            return
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._take_import(name, statement, module)
        elif name not in self.definitions:
            for used in ast.walk(statement):
                if isinstance(used, ast.Name) and used.id != name:
                    self._take(used.id, module)
            self.definitions[name] = _text(source, statement)

    def _take_import(self, name: str, statement: ast.Import | ast.ImportFrom, module: str) -> None:
        alias = next(alias for alias in statement.names if (alias.asname or alias.name) == name)
        if isinstance(statement, ast.ImportFrom) and statement.level:
            package = importlib.import_module(module).__package__
            self._take(name, importlib.import_module(f"{'.' * statement.level}{statement.module}", package).__name__)
            return
        origin = f"from {statement.module} " if isinstance(statement, ast.ImportFrom) else ""
        self.imports.add(f"{origin}import {alias.name}" + (f" as {alias.asname}" if alias.asname else ""))

    def _module(self, name: str) -> tuple[str, dict[str, ast.stmt]]:
        """A module's source, and its statements by the names that they give."""
        if name not in self._sources:
            source = inspect.getsource(importlib.import_module(name))
            statements: dict[str, ast.stmt] = {}
            for statement in ast.parse(source).body:
                statements |= dict.fromkeys(_given(statement), statement)
            self._sources[name] = source, statements
        return self._sources[name]


def _given(statement: ast.stmt) -> list[str]:
    """The names that a statement gives."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(source: str, statement: ast.stmt) -> str:
    """A statement's own lines, with its decorators."""
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return "\n".join(source.splitlines()[first - 1 : statement.end_lineno])
