"""Who writes which layer class as PyTorch code."""

from __future__ import annotations

from ...refusals import UNEXPORTED
from ...registry import Registry
from ..code import Code

WRITERS = Registry[Code]("PyTorch code", __package__, UNEXPORTED)
writes = WRITERS.writes
