"""What every layer is built on: the contract, the registry, fillers, shapes, and the bases of families."""

from .draws import Draws, random_state, set_random_state
from .fillers import Filler, FillerError
from .filtering import FilteringLayer
from .layer import Arity, Layer, LayerError, Overwritten, Shape, State
from .loss import (
    LOG_THRESHOLD,
    LossLayer,
    Normalizer,
    align_labels,
    floored,
    item_labels,
    refuse_unknown_classes,
    same_first_axis,
)
from .recurrent import RecurrentLayer
from .registry import layer_class, register, registered
from .shapes import canonical_axis, same_shapes, times
from .sliding import Ints, SlidingLayer
from .taps import convolve, spread

__all__ = [
    "LOG_THRESHOLD",
    "Arity",
    "Draws",
    "Filler",
    "FillerError",
    "FilteringLayer",
    "Ints",
    "Layer",
    "LayerError",
    "LossLayer",
    "Normalizer",
    "Overwritten",
    "RecurrentLayer",
    "Shape",
    "SlidingLayer",
    "State",
    "align_labels",
    "canonical_axis",
    "convolve",
    "floored",
    "item_labels",
    "layer_class",
    "random_state",
    "refuse_unknown_classes",
    "register",
    "registered",
    "same_first_axis",
    "same_shapes",
    "set_random_state",
    "spread",
    "times",
]
