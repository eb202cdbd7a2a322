"""Up to which size nets are run to check what was written, without being asked to."""

from __future__ import annotations

from ...prototxt.net import Net
from ..report import layer_rows, param_bytes

_MOST_WORK, _MOST_BYTES = 2 * 10**9, 64 << 20
"""Multiply-adds and bytes of params."""


def too_large(net: Net) -> str:
    """Why a net is not run without being asked to; empty where it is."""
    work = sum(row.multiply_adds for row in layer_rows(net))
    if work <= _MOST_WORK and param_bytes(net) <= _MOST_BYTES:
        return ""
    return f"not run: {work / 1e9:.1f} G multiply-adds, {param_bytes(net) / 2**20:.0f} MiB (run_nets=True runs it)"
