"""Layers as PyTorch code: a function for each type, in the modules named as those that draw ONNX."""

from __future__ import annotations

from ...refusals import UNEXPORTED
from ...registry import Registry
from ..code import Code

WRITERS = Registry[Code]("PyTorch code", __name__, UNEXPORTED)
writes = WRITERS.writes

__all__ = ["WRITERS", "writes"]
