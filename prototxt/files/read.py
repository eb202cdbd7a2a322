"""The one way in for weights of every format."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..errors import PrototxtError
from .caffemodel import read_caffemodel
from .hdf5 import read_hdf5
from .mapped_file import MappedFile
from .npz import read_npz
from .sniff import kind_of
from .tensors import read_safetensors, read_state_dict
from .weights import Blob, Kind, Weights

_NPZ_KEY = re.compile(r"param/(.+)/(0|[1-9][0-9]{0,3})", re.DOTALL)
_STATE_KEY = re.compile(r"(.+)\.(0|[1-9][0-9]{0,3})", re.DOTALL)
_NOT_WEIGHTS: dict[Kind, str] = {
    "binaryproto": "one blob (.binaryproto)",
    "solverstate": "a solver's state",
    "npy": "one array (.npy)",
}


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read layers and their blobs from a file of any format; values stay in the file until a blob's `tensor()`.

    Formats are .caffemodel of every age and fork, .caffemodel.h5, .npz (keys param/LAYER/INDEX, or a golden fixture),
    .safetensors and a state_dict in a .pt (keys LAYER.INDEX, as `Net.state_dict` has). Content tells which, not suffix.
    """
    source = MappedFile(path)
    kind = kind_of(source)
    if kind == "caffemodel":
        return read_caffemodel(source)
    if kind == "hdf5":
        return read_hdf5(source.path)
    if kind == "npz":
        arrays = read_npz(source.path)
        # A golden fixture has other things beside its params.
        params = {key: blob for key, blob in arrays.items() if "prototxt" not in arrays or key.startswith("param/")}
        return _by_layer(source.path, params, _NPZ_KEY, kind, "param/LAYER/INDEX")
    if kind in ("safetensors", "pt"):
        tensors = read_safetensors(source.path) if kind == "safetensors" else read_state_dict(source.path)
        return _by_layer(source.path, tensors, _STATE_KEY, kind, "LAYER.INDEX, as the state_dict of a Net has")
    raise PrototxtError(f"{source.path}: is {_NOT_WEIGHTS[kind]}, not the weights of a net")


def _by_layer(path: str, arrays: Mapping[str, Blob], pattern: re.Pattern[str], kind: Kind, form: str) -> Weights:
    """Arrays by key as layers, in the order in which the file has their first."""
    layers: dict[str, dict[int, Blob]] = {}
    for key, blob in arrays.items():
        place = pattern.fullmatch(key)
        if place is None:
            raise PrototxtError(f"{path}: the key {key!r} is no param's: that would be {form}")
        layers.setdefault(place[1], {})[int(place[2])] = blob
    if not layers:
        raise PrototxtError(f"{path}: no params in it (keys {form})")
    return Weights.of(path, layers, kind)
