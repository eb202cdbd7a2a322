"""The net: a prototxt's layers wired, built, filled with params and run."""

from .build import NetError, Parts, located, unique_keys
from .fold import fold
from .graph import PHASES, Node
from .match import Match, ParamName, count_nonfinite, pair, refuse_nonfinite
from .net import Array, Net
from .params import Param, expected_params
from .walk import run_layer

__all__ = [
    "PHASES",
    "Array",
    "Match",
    "Net",
    "NetError",
    "Node",
    "Param",
    "ParamName",
    "Parts",
    "count_nonfinite",
    "expected_params",
    "fold",
    "located",
    "pair",
    "refuse_nonfinite",
    "run_layer",
    "unique_keys",
]
