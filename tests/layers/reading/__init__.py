"""Every layer type as its definition reads: plain NumPy in float64, slow, from docstrings and Caffe's own rules.

A reading takes the layer's message (with the schema's defaults), its phase, bottoms and params, and gives the tops. It
shares no line with the layers, so that an error must be made twice to pass. Where Caffe gives NaN, so does the reading.
"""

from __future__ import annotations

from . import arithmetic, arrangement, decisions, elementwise, losses, norms, pooling, recurrent, rois, sliding
from .norms import batch_norm_after
from .registry import READINGS, Array, Given, phase_of, read, rounded

__all__ = ["READINGS", "Array", "Given", "batch_norm_after", "phase_of", "read", "rounded"]

FAMILIES = (arithmetic, arrangement, decisions, elementwise, losses, norms, pooling, recurrent, rois, sliding)
