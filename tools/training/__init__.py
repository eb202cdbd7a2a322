"""Training a detector: one run, its log, its snapshots, and the alternating scheme."""

from .alternating import RFCN, Course, StageFiles, read_stages, write_stages
from .errors import TrainingError
from .run import Means, go_on, keep_memory, solver_into, start_from, states_of, train_through
from .trainer import feed_detector

__all__ = [
    "RFCN",
    "Course",
    "Means",
    "StageFiles",
    "TrainingError",
    "feed_detector",
    "go_on",
    "keep_memory",
    "read_stages",
    "solver_into",
    "start_from",
    "states_of",
    "train_through",
    "write_stages",
]
