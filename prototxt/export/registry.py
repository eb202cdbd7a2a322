"""Who writes a layer in the form of another program: one registry for each form, by layer class."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from ...layers import Layer
from ..net import Node
from .refusals import UNKNOWN, ExportError

T = TypeVar("T")


class Registry(Generic[T]):
    """The writers of one form: functions (layer, where it is written, *bottoms) -> T.

    A module of the package that registers one is found by itself. A writer that has no form for a layer as it is set
    raises ExportError with the reason and the way out; the registry adds the layer and its place.
    """

    def __init__(self, form: str, package: str, refusals: Mapping[str, str]) -> None:
        self.form, self.refusals = form, refusals
        self._package = package
        self._writers: dict[type[Layer], Callable[..., T]] = {}

    def writes(self, *classes: type[Layer]) -> Callable[[Callable[..., T]], Callable[..., T]]:
        """Register the function below for these classes."""

        def add(writer: Callable[..., T]) -> Callable[..., T]:
            for cls in classes:
                if cls in self._writers:
                    raise ExportError(f"{cls.__name__} is written as {self.form} already")
                self._writers[cls] = writer
            return writer

        return add

    def writers(self) -> dict[type[Layer], Callable[..., T]]:
        """Every layer class that has this form, and what writes it."""
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        return self._writers

    def check(self, node: Node, layer: Layer) -> None:
        """Refuse a layer whose type has no such form."""
        if type(layer) not in self._writers and type(layer) not in self.writers():
            raise self._refusal(node, self.refusals.get(layer.type, UNKNOWN))

    def write(self, node: Node, layer: Layer, where: object, *bottoms: object) -> T:
        """Write a layer."""
        self.check(node, layer)
        try:
            return self._writers[type(layer)](layer, where, *bottoms)
        except ExportError as error:
            raise self._refusal(node, str(error)) from error

    def _refusal(self, node: Node, reason: str) -> ExportError:
        return ExportError(f"{node}: cannot be written as {self.form}: {reason}")
