"""Differences in place of a derivative, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEP = 4e-6


@dataclass(frozen=True)
class Slope:
    """A derivative, and how far rounding may have moved it."""

    value: float
    noise: float


def slope(f: Callable[[float], float]) -> Slope | None:
    """The derivative of f at 0; None where f has a kink, bends too much to tell, or is not finite."""
    middle, near = f(0.0), [f(STEP / 2), f(-STEP / 2)]
    far = [f(STEP), f(-STEP)]
    if not np.all(np.isfinite([middle, *near, *far])) or abs(middle) > 1e12:
        return None
    noise = 1e-13 * max(1e-3, *map(abs, (middle, *far))) / STEP
    right, left = (far[0] - middle) / STEP, (middle - far[1]) / STEP
    wide, narrow = (far[0] - far[1]) / (2 * STEP), (near[0] - near[1]) / STEP
    limit = 1e-3 * max(abs(right), abs(left)) + 10 * noise
    if abs(right - left) > limit or abs(wide - narrow) > 1e-2 * limit + 10 * noise:
        return None
    return Slope(narrow, 10 * noise)
