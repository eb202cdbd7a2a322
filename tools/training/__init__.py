"""Training a detector: one run, its log, its snapshots, and the alternating scheme."""

from .alternating import RFCN, Course, StageFiles, read_stages, write_stages
from .run import add_means, go_on, keep_memory, means_of, solver_into, start_from, states_of, train_through
from .trainer import feed_detector

__all__ = [
    "RFCN",
    "Course",
    "StageFiles",
    "add_means",
    "feed_detector",
    "go_on",
    "keep_memory",
    "means_of",
    "read_stages",
    "solver_into",
    "start_from",
    "states_of",
    "train_through",
    "write_stages",
]
