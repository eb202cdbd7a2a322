"""Which layer types have an ONNX form, drawn by whom, and why the others have none."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ....layers import Layer, LayerError
from ..refusals import UNEXPORTED, UNKNOWN
from .stage import Stage, Value

Converter = Callable[..., tuple[Value, ...] | Value]
"""(layer, stage, *bottoms) -> the tops, or the only one."""

_MODULES = ("elementwise", "filters", "normalising", "pooling", "proposals", "recurrent", "regions", "shaping")
_converters: dict[type[Layer], Converter] = {}

REFUSED = UNEXPORTED | {"Filter": "it picks items: take its bottoms as outputs, and pick from them"}
"""Registered types without an ONNX form: the reason and the way out."""


def converts(*classes: type[Layer]) -> Callable[[Converter], Converter]:
    """Register what draws the layers of these classes."""

    def add(converter: Converter) -> Converter:
        for cls in classes:
            if cls in _converters:
                raise LayerError(f"{cls.__name__} has a converter already")
            _converters[cls] = converter
        return converter

    return add


def converted() -> dict[type[Layer], Converter]:
    """Every layer class with an ONNX form, and what draws it."""
    for module in _MODULES:
        importlib.import_module(f".{module}", __package__)
    return _converters


def draw(stage: Stage, *bottoms: Value) -> tuple[Value, ...]:
    """Draw a layer's nodes; gives its tops."""
    tops: Any = converter_of(stage.layer)(stage.layer, stage, *bottoms)
    return (tops,) if isinstance(tops, Value) else tops


def converter_of(layer: Layer) -> Converter:
    """What draws a layer; one without an ONNX form is refused with the way out."""
    found = _converters.get(type(layer)) or converted().get(type(layer))
    if found is None:
        way_out = REFUSED.get(layer.type, UNKNOWN)
        raise LayerError(f"has no ONNX form; {way_out}")
    return found
