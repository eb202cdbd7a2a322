"""What lies in a file of any kind that is read here: its blobs in order, and what else it tells."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..files import (
    FORKS,
    Blob,
    MappedFile,
    SavedLayer,
    holds_solverstate,
    kind_of,
    read_blob,
    read_caffemodel,
    read_hdf5,
    read_npy,
    read_npz,
    read_safetensors,
    read_state_dict,
    survey,
)
from .solverstate import read_solverstate


@dataclass(frozen=True)
class Listing:
    """A file's kind in words, what it says beside its blobs, and its blobs as layers.

    Where there are no layers, each array is an entry of its own under its key, as blob 0.
    """

    what: str
    facts: Mapping[str, object] = field(default_factory=dict)
    entries: tuple[SavedLayer, ...] = ()
    layered: bool = True


def list_file(path: str | os.PathLike[str]) -> Listing:
    """Open a file of any kind and list what it holds; values stay in the file."""
    source = MappedFile(path)
    return _LISTERS[kind_of(source)](source)


def _caffemodel(source: MappedFile) -> Listing:
    weights = read_caffemodel(source)
    found = survey(source)
    facts = {
        "net": weights.net_name,
        "generation": found.generation,
        "phase": found.phase,
        "forks": [name for name in FORKS if name in found.forks],
        "signs": found.signs,
        "encodings": sorted(found.encodings),
    }
    return Listing("Caffe weights (.caffemodel)", facts, weights.layers)


def _binaryproto(source: MappedFile) -> Listing:
    return _arrays("one blob (.binaryproto)", {"blob": read_blob(source)})


def _solverstate(source: MappedFile) -> Listing:
    state = read_solverstate(source)
    facts = {"iter": state.iter, "learned_net": state.learned_net, "current_step": state.current_step}
    suffix = ".solverstate.h5" if source.map[:1] == b"\x89" else ".solverstate"
    history = {f"history/{i}": blob for i, blob in enumerate(state.history)}
    return _arrays(f"a solver's state ({suffix})", history, facts)


def _hdf5(source: MappedFile) -> Listing:
    if holds_solverstate(source.path):
        return _solverstate(source)
    return Listing("Caffe weights (.caffemodel.h5)", {}, read_hdf5(source.path).layers)


def _npz(source: MappedFile) -> Listing:
    arrays = read_npz(source.path)
    return _arrays("a golden fixture (.npz)" if "prototxt" in arrays else "arrays (.npz)", arrays)


def _npy(source: MappedFile) -> Listing:
    return _arrays("an array (.npy)", {"array": read_npy(source.path)})


def _safetensors(source: MappedFile) -> Listing:
    return _arrays("tensors (.safetensors)", read_safetensors(source.path))


def _state_dict(source: MappedFile) -> Listing:
    return _arrays("a state_dict (.pt)", read_state_dict(source.path))


def _arrays(what: str, arrays: Mapping[str, Blob], facts: Mapping[str, object] | None = None) -> Listing:
    entries = tuple(SavedLayer(key, "", {0: blob}) for key, blob in arrays.items())
    return Listing(what, facts or {}, entries, layered=False)


_LISTERS: dict[str, Callable[[MappedFile], Listing]] = {
    "caffemodel": _caffemodel,
    "binaryproto": _binaryproto,
    "solverstate": _solverstate,
    "hdf5": _hdf5,
    "npz": _npz,
    "npy": _npy,
    "safetensors": _safetensors,
    "pt": _state_dict,
}
