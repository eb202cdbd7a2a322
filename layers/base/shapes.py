"""Blob shapes: how they are printed and how axes are counted."""

from __future__ import annotations

from .layer import LayerError, Shape


def times(shape: Shape) -> str:
    """A shape in print: 2×3×7×9, or "scalar" for no axes."""
    return "×".join(map(str, shape)) or "scalar"


def canonical_axis(axis: int, shape: Shape) -> int:
    """An axis counted from the front; -1 is the last one."""
    if not -len(shape) <= axis < len(shape):
        raise LayerError(f"axis {axis} is out of range for a bottom of {len(shape)} axes ({times(shape)})")
    return axis % len(shape)


def same_shapes(*shapes: Shape) -> None:
    """Refuse bottoms whose shapes differ: torch would stretch some of them over the others."""
    for index, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise LayerError(
                f"takes bottoms of one shape, got {times(shapes[0])} and, as bottom {index}, {times(shape)}"
            )
