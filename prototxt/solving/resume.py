"""What Caffe's snapshots leave out: where random numbers, data and the averaged loss stand.

With it training goes on bit for bit as if it had never stopped. It lies in a file of its own beside Caffe's two, which
so stay Caffe's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ...layers import LayerError, State, random_state, set_random_state
from ..files import read_npz, unbroken
from ..net import Net
from .policies import SolverError


class Resumable(Protocol):
    """Whatever moves on while a solver runs, such as a source of data."""

    def place(self) -> State:
        """Where it is."""
        ...

    def return_to(self, place: State) -> None:
        """Go on from there."""
        ...


@dataclass(frozen=True)
class Taken:
    """A place that was taken elsewhere, to be written with the others."""

    at: State

    def place(self) -> State:
        """That place."""
        return self.at

    def return_to(self, place: State) -> None:
        """Nothing goes on from here."""
        raise NotImplementedError


class ResumableNet:
    """A net's random numbers, and its layers' places among their data."""

    def __init__(self, net: Net) -> None:
        self.net = net

    def place(self) -> State:
        """NumPy's and torch's generators, and where each layer is."""
        parts: dict[str, State] = {"numpy": random_state(self.net.rng)}
        parts |= {f"layer/{i}": step.layer.place() for i, step in enumerate(self.net.steps)}
        return {"torch": self.net.generator.get_state().numpy(), **_joined(parts)}

    def return_to(self, place: State) -> None:
        """Set the generators, which the layers share, and each layer."""
        set_random_state(self.net.rng, _under(place, "numpy"))
        self.net.generator.set_state(torch.from_numpy(place["torch"]))
        for i, step in enumerate(self.net.steps):
            if mine := _under(place, f"layer/{i}"):
                step.layer.return_to(mine)


def write_places(path: Path, resumables: Mapping[str, Resumable]) -> None:
    """Write where each one is, under its name; the same places give the same bytes."""
    with open(path, "xb") as file:
        np.savez(file, allow_pickle=False, **_joined({name: one.place() for name, one in resumables.items()}))


def return_to_places(path: str | os.PathLike[str], resumables: Mapping[str, Resumable], rank: int = 0) -> list[str]:
    """Set each one to its place in that file, or to this rank's; gives the names of those that it says nothing of."""
    where = os.fspath(path)
    blobs = read_npz(where)
    with unbroken(where, "does not tell where this solver stood"):
        arrays = {key: np.array(blob.load()) for key, blob in blobs.items()}
        places = {name: _under(arrays, name) | _under(arrays, f"rank {rank}/{name}") for name in resumables}
        for name, place in places.items():
            if place:
                _return(resumables[name], place, where)
    return [name for name, place in places.items() if not place]


def ranks_in(path: str | os.PathLike[str]) -> int:
    """How many ranks' places that file holds."""
    count = read_npz(os.fspath(path)).get("ranks/count")
    return int(np.array(count.load())) if count else 1


def _return(resumable: Resumable, place: State, where: str) -> None:
    try:
        resumable.return_to(place)
    except LayerError as error:
        raise SolverError(f"{where}: a layer {error}") from None


def _joined(parts: Mapping[str, State]) -> dict[str, np.ndarray]:
    return {f"{name}/{key}": array for name, place in parts.items() for key, array in place.items()}


def _under(place: State, name: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(f"{name}/"): array for key, array in place.items() if key.startswith(f"{name}/")}
