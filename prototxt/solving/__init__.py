"""Caffe's solvers: steps, rates, snapshots, and many processes."""

from .nonfinite import NonfiniteLossError
from .progress import Progress, Record
from .ranks import OthersFailedError, Ranks, joined
from .requests import Request, SignalRequests
from .snapshot import Snapshot, places_beside, weights_beside
from .solver import Solver
from .solver_nets import train_text

__all__ = [
    "NonfiniteLossError",
    "OthersFailedError",
    "Progress",
    "Ranks",
    "Record",
    "Request",
    "SignalRequests",
    "Snapshot",
    "Solver",
    "joined",
    "places_beside",
    "train_text",
    "weights_beside",
]
