"""The one way out for weights: the suffix says which format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import PrototxtError
from ..files import DIALECTS, Dialect
from ..net import Net
from .net_params import OutLayer
from .write_arrays import write_npz, write_pt, write_safetensors
from .write_caffemodel import write_caffemodel
from .write_hdf5 import write_hdf5

FORMATS = (".caffemodel", ".caffemodel.h5", ".npz", ".safetensors", ".pt")
_BY_KEY = (".safetensors", ".pt")
"""Their keys are unlike where names are alike."""
_PLAIN = {".npz": write_npz, ".safetensors": write_safetensors, ".pt": write_pt}


def format_of(path: Path) -> str:
    """The format that a file's name stands for."""
    for suffix in FORMATS:
        if path.name.endswith(suffix):
            return suffix
    raise PrototxtError(f"{path}: no format has this suffix; there are {', '.join(FORMATS)}")


def write_weights(path: Path, net: Net, layers: Sequence[OutLayer], dialect: Dialect = DIALECTS["bvlc"]) -> None:
    """Write a net's layers with their params; only a .caffemodel has a dialect."""
    form = format_of(path)
    if not any(layer.params for layer in layers):
        raise PrototxtError(f"{path}: net {net.graph.name!r} has no params to write")
    if form not in _BY_KEY:
        _refuse_namesakes(layers)
    try:
        _write(path, form, net, layers, dialect)
    except RuntimeError as error:
        # After a write that failed HDF5 and torch close their files in vain, and tell of that alone.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


def _refuse_namesakes(layers: Sequence[OutLayer]) -> None:
    """Refuse two layers with params under one name, by which alone a reader would find them."""
    names: set[str] = set()
    for layer in layers:
        if layer.params and layer.name in names:
            way_out = f"rename one, or choose {' or '.join(_BY_KEY)}"
            raise PrototxtError(f"{layer.node}: an earlier layer of that name has params, too ({way_out})")
        names |= {layer.name} if layer.params else set()


def _write(path: Path, form: str, net: Net, layers: Sequence[OutLayer], dialect: Dialect) -> None:
    if form == ".caffemodel.h5":
        write_hdf5(path, layers)
        return
    with open(path, "xb") as file:
        if form == ".caffemodel":
            write_caffemodel(file, net.graph.name, net.phase, layers, dialect)
        else:
            _PLAIN[form](file, layers)
