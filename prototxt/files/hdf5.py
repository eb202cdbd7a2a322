"""Caffe's HDF5 files: weights under data/LAYER/INDEX, a solver's state under history/INDEX."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from ..errors import PrototxtError
from .weights import LazyBlob, Weights, unbroken

BAD_HDF5 = "is no HDF5 file of Caffe's, or a damaged one"
_INDEX = re.compile(r"0|[1-9][0-9]{0,3}")


def read_hdf5(path: str) -> Weights:
    """Read a .caffemodel.h5; a layer's name may have slashes, which are groups in groups there.

    Layers come in HDF5's order, by name, and without types. A blob that another layer owns is not in the file.
    """
    file = open_hdf5(path)
    with unbroken(path, BAD_HDF5):
        layers = _layers(path, hdf5_item(path, file, "data", h5py.Group))
    if not layers:
        raise PrototxtError(f"{path}: no layers in it: not a .caffemodel.h5")
    return Weights.of(path, layers, "hdf5")


def _layers(path: str, data: h5py.Group) -> dict[str, dict[int, LazyBlob]]:
    layers: dict[str, dict[int, LazyBlob]] = {}
    names = _links(path, data)
    parents = {name.rpartition("/")[0] for name in names}
    for name in names:
        item = data[name]
        layer, _, index = name.rpartition("/")
        if isinstance(item, h5py.Group):
            # A group in a group is part of a name; without anything in it, it is a layer without blobs.
            if not len(item):
                layers[name] = {}
            elif name not in parents:
                raise PrototxtError(f"{path}: data/{name} is one more name of another group")
        elif isinstance(item, h5py.Dataset) and layer and _INDEX.fullmatch(index):
            layers.setdefault(layer, {})[int(index)] = hdf5_blob(f"{path}: layer {layer!r}, blob {index}", item)
        else:
            raise PrototxtError(f"{path}: data/{name} is no blob: that would be data/LAYER/INDEX")
    return layers


def holds_solverstate(path: str) -> bool:
    """Whether it is a .solverstate.h5 rather than weights."""
    file = open_hdf5(path)
    with unbroken(path, BAD_HDF5):
        return "history" in file


def open_hdf5(path: str) -> h5py.File:
    """Open a file; it stays open as long as one of its blobs lives."""
    with unbroken(path, BAD_HDF5):
        return h5py.File(path, "r")


def hdf5_item(path: str, group: h5py.Group, name: str, kind: type) -> Any:
    """A group or dataset that lies in the file itself."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink) or not isinstance(group[name], kind):
        raise PrototxtError(f"{path}: is HDF5 without a {kind.__name__.lower()} {name!r}: not one of Caffe's")
    return group[name]


def hdf5_blob(where: str, data: h5py.Dataset) -> LazyBlob:
    """A dataset as a blob; one whose values lie elsewhere than in the file itself is refused."""
    if data.shape is None:
        raise PrototxtError(f"{where} is no array")
    if data.is_virtual or data.external:
        raise PrototxtError(f"{where} lies in another file, which is not read")
    if data.size and not data.id.get_storage_size():
        raise PrototxtError(f"{where} has no values in the file")
    return LazyBlob(where, tuple(data.shape), data.dtype.name, partial(_values, where, data))


def _values(where: str, data: h5py.Dataset) -> Tensor:
    """The values as HDF5 itself converts them, as it does for Caffe."""
    if data.dtype.kind not in "fiub":
        raise PrototxtError(f"{where} holds {data.dtype.name}, which is no real number")
    # torch's memory: NumPy's is slower to touch.
    tensor = torch.empty(data.shape, dtype=torch.float32)
    if data.size:
        data.read_direct(np.asarray(tensor))
    return tensor


def _links(path: str, group: h5py.Group) -> list[str]:
    """The names of everything below a group, each in itself: a link to another place or file is refused."""
    links: dict[str, object] = {}
    group.visititems_links(links.__setitem__)  # h5py garbles what is raised in there
    for name, link in links.items():
        if not isinstance(link, h5py.HardLink):
            raise PrototxtError(f"{path}: {group.name.strip('/')}/{name} is a link to elsewhere, which is not followed")
    return list(links)
