"""HDF5 files that hold all they say: links and values that lie elsewhere are refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from ...errors import PrototxtError
from ..weights import LazyBlob, unbroken
from ..wire import MappedFile

BAD_HDF5 = "is no HDF5 file of Caffe's, or a damaged one"


def is_hdf5(source: MappedFile) -> bool:
    """Whether a file begins as HDF5."""
    return source.starts_with(b"\x89HDF")


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


def hdf5_links(path: str, group: h5py.Group) -> list[str]:
    """The names of everything below a group, each in itself: a link to another place or file is refused."""
    links: dict[str, object] = {}
    group.visititems_links(links.__setitem__)  # h5py garbles what is raised in there
    for name, link in links.items():
        if not isinstance(link, h5py.HardLink):
            raise PrototxtError(f"{path}: {group.name.strip('/')}/{name} is a link to elsewhere, which is not followed")
    return list(links)


def _values(where: str, data: h5py.Dataset) -> Tensor:
    """The values as HDF5 itself converts them, as it does for Caffe."""
    if data.dtype.kind not in "fiub":
        raise PrototxtError(f"{where} holds {data.dtype.name}, which is no real number")
    # torch's memory: NumPy's is slower to touch.
    tensor = torch.empty(data.shape, dtype=torch.float32)
    if data.size:
        data.read_direct(np.asarray(tensor))
    return tensor
