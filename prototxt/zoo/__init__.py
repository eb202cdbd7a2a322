"""Model prototxts of our own, made by short generators."""

from .catalog import MODELS, is_rfcn, make_net
from .rpn import DATASETS, DetectionTask
from .solvers import make_solver

__all__ = ["DATASETS", "MODELS", "DetectionTask", "is_rfcn", "make_net", "make_solver"]
