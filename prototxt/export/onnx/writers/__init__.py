"""Layers as ONNX nodes: a function for each type, in the modules named as those that write PyTorch code."""

from __future__ import annotations

from ...refusals import NOT_IN_ONNX, UNEXPORTED
from ...registry import Registry
from ..stage import Value

WRITERS = Registry[tuple[Value, ...] | Value]("ONNX", __name__, UNEXPORTED | NOT_IN_ONNX)
"""Each gives the layer's tops, or the only one."""
writes = WRITERS.writes

__all__ = ["WRITERS", "writes"]
