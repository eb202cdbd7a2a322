"""One module for each Caffe layer type, and the arithmetic that they share."""

from __future__ import annotations

from .layer import Layer, LayerError
from .registry import layer_class, register, registered

__all__ = ["Layer", "LayerError", "layer_class", "register", "registered"]


def __getattr__(name: str) -> type[Layer]:
    """Any layer class by its own name: `from recaffe.layers import ProposalLayer`."""
    for cls in registered().values() if name.endswith("Layer") else ():
        if cls.__name__ == name:
            return cls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
