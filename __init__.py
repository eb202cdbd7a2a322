"""recaffe: Caffe's detection nets, layer by layer, in PyTorch."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layers import Layer, register
    from .prototxt.export import load_pt2
    from .prototxt.files import read_weights
    from .prototxt.net import Allow, Net
    from .prototxt.solving import Solver
    from .prototxt.text import Config, read_net
    from .tools import datasets
    from .tools.detection import Detector

    __version__: str

__all__ = [
    "Allow",
    "Config",
    "Detector",
    "Layer",
    "Net",
    "Solver",
    "__version__",
    "datasets",
    "load_pt2",
    "read_net",
    "read_weights",
    "register",
]

_ROOMS = {
    "Allow": "prototxt.net",
    "Config": "prototxt.text",
    "Detector": "tools.detection",
    "Layer": "layers",
    "Net": "prototxt.net",
    "Solver": "prototxt.solving",
    "load_pt2": "prototxt.export",
    "read_net": "prototxt.text",
    "read_weights": "prototxt.files",
    "register": "layers",
}
"""Where the front door's names live: each is imported when it is first asked for, as they bring torch."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("recaffe")
    if name == "datasets":
        return import_module(".tools.datasets", __name__)
    if name in _ROOMS:
        return getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
