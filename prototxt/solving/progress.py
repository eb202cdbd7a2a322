"""What a solver reports while it runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...layers import State
from .policies import SolverError
from .snapshot import Snapshot


@dataclass(frozen=True)
class Progress:
    """One iteration: its loss over iter_size forwards, and the last forward's outputs."""

    iter: int
    lr: float
    """Its learning rate; 0 for the look at the loss once training is over."""
    loss: float
    smoothed_loss: float
    """The mean of the last average_loss iterations, which is what Caffe prints."""
    outputs: Mapping[str, Tensor]


@dataclass(frozen=True)
class Score:
    """One test: the mean of each output over test_iter forwards."""

    iter: int
    net: int
    """Which of the test nets."""
    loss: float | None
    """The mean loss, where test_compute_loss asks for it."""
    outputs: Mapping[str, Tensor]


Record = Progress | Score | Snapshot


class SmoothedLoss:
    """The mean of the last losses, kept up to date as Caffe does."""

    def __init__(self, window: int) -> None:
        if window < 1:
            raise SolverError(f"has the average_loss {window}: it must be 1 or more")
        self.window = window
        self.losses: deque[float] = deque()
        self.value = 0.0

    def clear(self) -> None:
        """Begin anew."""
        self.losses.clear()
        self.value = 0.0

    def add(self, loss: float) -> None:
        """Take in one more loss; it replaces the oldest once there are enough."""
        self.losses.append(loss)
        if len(self.losses) > self.window:
            self.value += (loss - self.losses.popleft()) / self.window
        else:
            self.value += (loss - self.value) / len(self.losses)

    def place(self) -> State:
        """The losses and their mean."""
        return {"losses": np.array(self.losses, np.float64), "value": np.array(self.value)}

    def return_to(self, place: State) -> None:
        """Take them over, or as many as count now."""
        self.losses = deque(place["losses"][-self.window :].tolist())
        same = len(self.losses) == len(place["losses"])
        self.value = float(place["value"] if same else np.mean(self.losses))


def due(interval: int, iteration: int) -> bool:
    """Whether something that happens every `interval` iterations, where that is above 0, happens at this one."""
    return interval > 0 and iteration % interval == 0
