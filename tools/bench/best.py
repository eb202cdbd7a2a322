"""How long something takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def best(action: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs after one to warm up, in seconds."""
    action()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        spent.append(time.perf_counter() - start)
    return min(spent)
