"""Operations that change a net's prototxt and its params together."""

from .change_anchors import change_anchors
from .change_classes import ClassChange, Classes, change_classes
from .compress import compress
from .drop import drop
from .merge import merge_batch_norms
from .operation import Operation, Promise, Rows, reached
from .printed import printed
from .rename import rename
from .split_layer import split_layer

__all__ = [
    "ClassChange",
    "Classes",
    "Operation",
    "Promise",
    "Rows",
    "change_anchors",
    "change_classes",
    "compress",
    "drop",
    "merge_batch_norms",
    "printed",
    "reached",
    "rename",
    "split_layer",
]
