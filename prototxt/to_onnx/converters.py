"""Which layer types have an ONNX form, drawn by whom, and why the others have none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from ...layers.layer import Layer, LayerError
from .stage import Stage, Value

Converter = Callable[..., tuple[Value, ...] | Value]
"""(layer, stage, *bottoms) -> the tops, or the only one."""

_converters: dict[type[Layer], Converter] = {}

_LABELS = "it needs labels: export the TEST net"
_DATA = "it makes data: put an Input layer in its place"
_TARGETS = "it draws samples for training: export the TEST net"
REFUSED = {
    **dict.fromkeys(
        (
            "Accuracy",
            "ContrastiveLoss",
            "EuclideanLoss",
            "HingeLoss",
            "InfogainLoss",
            "MultinomialLogisticLoss",
            "SigmoidCrossEntropyLoss",
            "SmoothL1Loss",
            "SmoothL1LossOHEM",
            "SoftmaxWithLoss",
            "SoftmaxWithLossOHEM",
        ),
        _LABELS,
    ),
    **dict.fromkeys(
        (
            "Data",
            "DummyData",
            "HDF5Data",
            "ImageData",
            "MemoryData",
            "WindowData",
            "roi_data_layer.layer.RoIDataLayer",
        ),
        _DATA,
    ),
    **dict.fromkeys(
        (
            "BoxAnnotatorOHEM",
            "rpn.anchor_target_layer.AnchorTargetLayer",
            "rpn.proposal_target_layer.ProposalTargetLayer",
        ),
        _TARGETS,
    ),
    "Filter": "it picks items: take its bottoms as outputs, and pick from them",
    "HDF5Output": "it writes a file: take its bottoms as outputs",
    "Im2col": "Convolution does without it: leave it out",
}
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
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("onnx_"):
            importlib.import_module(f"{__package__}.{module.name}")
    return _converters


def draw(stage: Stage, *bottoms: Value) -> tuple[Value, ...]:
    """Draw a layer's nodes; gives its tops."""
    tops: Any = converter_of(stage.layer)(stage.layer, stage, *bottoms)
    return (tops,) if isinstance(tops, Value) else tops


def converter_of(layer: Layer) -> Converter:
    """What draws a layer; one without an ONNX form is refused with the way out."""
    found = _converters.get(type(layer)) or converted().get(type(layer))
    if found is None:
        way_out = REFUSED.get(layer.type, "recaffe does not know what it computes: cut the net before it")
        raise LayerError(f"has no ONNX form; {way_out}")
    return found
