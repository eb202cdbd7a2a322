"""The net: a prototxt's layers wired, built, filled with params and run."""

from .build import Parts, unique_keys
from .fold import fold
from .graph import PHASES, Node
from .hazards import inplace_hazards
from .inputs import Array
from .match import Allow, Match, ParamName, count_nonfinite, pair, refuse_nonfinite
from .net import Net
from .params import Param, expected_params
from .step import NetError, Step, located
from .walk import Forward

__all__ = [
    "PHASES",
    "Allow",
    "Array",
    "Forward",
    "Match",
    "Net",
    "NetError",
    "Node",
    "Param",
    "ParamName",
    "Parts",
    "Step",
    "count_nonfinite",
    "expected_params",
    "fold",
    "inplace_hazards",
    "located",
    "pair",
    "refuse_nonfinite",
    "unique_keys",
]
