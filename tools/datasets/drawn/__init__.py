"""Data sets of drawn shapes."""

from .scenes import SHAPES, draw_scene
from .shapes_set import write_shapes

__all__ = ["SHAPES", "draw_scene", "write_shapes"]
