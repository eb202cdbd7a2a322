"""Layer types by name. A module of layers/ that registers a class is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TypeVar

from ...nearest import did_you_mean
from .layer import Layer, LayerError

L = TypeVar("L", bound=type[Layer])
_classes: dict[str, type[Layer]] = {}


def register(name: str) -> Callable[[L], L]:
    """Register a class under a Caffe type, or under `module.Class` for a Python layer."""

    def add(cls: L) -> L:
        if name in _classes:
            taken = _classes[name]
            raise LayerError(f"layer type {name} is registered already, by {taken.__module__}.{taken.__qualname__}")
        cls.type = name
        _classes[name] = cls
        return cls

    return add


def registered() -> dict[str, type[Layer]]:
    """Every known type and its class, by name."""
    package = importlib.import_module("...", __package__ + ".registry")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_classes.items()))


def layer_class(name: str) -> type[Layer]:
    """The class of a type; an unknown one is refused with the nearest and all known types."""
    classes = _classes if name in _classes else registered()
    if name in classes:
        return classes[name]
    raise LayerError(f"unknown layer type {name!r}{did_you_mean(name, classes)} (known: {', '.join(classes)})")
