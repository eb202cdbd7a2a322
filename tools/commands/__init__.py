"""The commands of `recaffe`: a thin module each, named as the command.

They are imported to list them and to parse arguments, so that only their `run` may bring torch, NumPy or OpenCV.
"""

from .arguments import in_flags, told

__all__ = ["in_flags", "told"]
