"""Caffe's solvers: steps, rates, snapshots, and many processes."""

from .listing import Listing, list_file
from .nonfinite import NonfiniteLossError
from .progress import Progress, Record
from .ranks import OthersFailedError, Ranks, joined
from .requests import Request, SignalRequests
from .snapshot import Snapshot
from .solver import Solver
from .solver_nets import train_text

__all__ = [
    "Listing",
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
    "list_file",
    "train_text",
]
