"""Writing .caffemodel.h5 files in Caffe's layout: data/LAYER/INDEX."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py

from ..errors import PrototxtError
from .net_params import OutLayer


def write_hdf5(path: Path, layers: Iterable[OutLayer]) -> None:
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
                    f"{layer.node}: HDF5 cannot hold data/{layer.name} beside the layers before it, whose names take "
                    "that place (rename one, or choose another format)"
                ) from None


def _check_name(layer: OutLayer) -> None:
    """Refuse a name that is no path of groups of just that spelling."""
    if any(part in ("", ".") for part in layer.name.split("/")) or "\0" in layer.name:
        raise PrototxtError(f"{layer.node}: HDF5 cannot keep the name {layer.name!r} (choose another format)")
