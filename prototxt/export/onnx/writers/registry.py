"""Who draws which layer class as ONNX nodes."""

from __future__ import annotations

from ...refusals import NOT_IN_ONNX, UNEXPORTED
from ...registry import Registry
from ..stage import Value

WRITERS = Registry[tuple[Value, ...] | Value]("ONNX", __package__, UNEXPORTED | NOT_IN_ONNX)
"""Each gives the layer's tops, or the only one."""
writes = WRITERS.writes
