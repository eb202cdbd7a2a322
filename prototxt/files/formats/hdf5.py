"""Caffe's HDF5 weights: data/LAYER/INDEX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py

from ...errors import PrototxtError
from ..format import Format, Listing
from ..layer_params import LayerParams
from ..weights import INDEX, LazyBlob, Weights, unbroken
from ..wire import Dialect, MappedFile
from .hdf5_file import BAD_HDF5, hdf5_blob, hdf5_item, hdf5_links, is_hdf5, open_hdf5
from .solverstate import holds_solverstate, list_solverstate


def read_hdf5(path: str) -> Weights:
    """Read a .caffemodel.h5; a layer's name may have slashes, which are groups in groups there.

    Layers come in HDF5's order, by name, and without types. A blob that another layer owns is not in the file.
    """
    file = open_hdf5(path)
    with unbroken(path, BAD_HDF5):
        layers = _layers(path, hdf5_item(path, file, "data", h5py.Group))
    if not layers:
        raise PrototxtError(f"{path}: no layers in it: not a .caffemodel.h5")
    return Weights.of(path, layers)


def _layers(path: str, data: h5py.Group) -> dict[str, dict[int, LazyBlob]]:
    layers: dict[str, dict[int, LazyBlob]] = {}
    names = hdf5_links(path, data)
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
        elif isinstance(item, h5py.Dataset) and layer and re.fullmatch(INDEX, index):
            layers.setdefault(layer, {})[int(index)] = hdf5_blob(f"{path}: layer {layer!r}, blob {index}", item)
        else:
            raise PrototxtError(f"{path}: data/{name} is no blob: that would be data/LAYER/INDEX")
    return layers


def write_hdf5(path: Path, layers: Iterable[LayerParams]) -> None:
    """Write a group for every layer, and in it the params that no earlier layer has."""
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        for layer in layers:
            _check_name(layer)
            try:
                group = data.require_group(layer.name)
                for index, param in enumerate(layer.params):
                    if not param.shared:
                        group.create_dataset(str(index), data=param.array(), track_times=False)
            except (TypeError, ValueError):
                raise PrototxtError(
                    f"{layer.where}: HDF5 cannot hold data/{layer.name} beside the layers before it, whose names take "
                    "that place (rename one, or choose another format)"
                ) from None


def _check_name(layer: LayerParams) -> None:
    """Refuse a name that is no path of groups of just that spelling."""
    if any(part in ("", ".") for part in layer.name.split("/")) or "\0" in layer.name:
        raise PrototxtError(f"{layer.where}: HDF5 cannot keep the name {layer.name!r} (choose another format)")


def _read(source: MappedFile) -> Weights:
    return read_hdf5(source.path)


def _list(source: MappedFile) -> Listing:
    if holds_solverstate(source.path):
        return list_solverstate(source)
    return Listing("Caffe weights (.caffemodel.h5)", {}, read_hdf5(source.path).layers)


def _write(path: Path, net_name: str, layers: Sequence[LayerParams], dialect: Dialect) -> None:
    write_hdf5(path, layers)


HDF5 = Format("hdf5", (".caffemodel.h5", ".h5"), is_hdf5, _read, _list, _write)
"""Weights; a solver's state in HDF5 counts as such, too, until it is looked into."""
