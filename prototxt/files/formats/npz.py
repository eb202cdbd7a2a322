"""NumPy's files: one array in a .npy, several by key in a .npz, a net's params under param/LAYER/INDEX."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ...errors import PrototxtError
from ..format import Format, Listing, layers_alone, no_weights
from ..layer_params import LayerParams
from ..weights import INDEX, LazyBlob, Weights, split_keys, unbroken
from ..wire import MappedFile

Opener = Callable[[], IO[bytes]]
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

_ZIP, _FIRST_NAME = b"PK\x03\x04", 30
"""How a zip archive starts, and where the name of its first file lies."""
_ENCRYPTED = 1
"""The flag of a file in a zip archive that wants a password."""


def read_npy(path: str) -> LazyBlob:
    """The array of a .npy."""
    return _blob(path, lambda: open(path, "rb"), Path(path).stat().st_size)


def read_npz(path: str) -> dict[str, LazyBlob]:
    """The arrays of a .npz by key; pickled objects are refused."""
    with unbroken(path, "is no .npz, or a damaged one"):
        archive = zipfile.ZipFile(path)
        arrays: dict[str, LazyBlob] = {}
        for item in archive.infolist():
            key = item.filename.removesuffix(".npy")
            if key == item.filename or key in arrays:
                what = "holds it twice" if key in arrays else "is a zip archive of other files, no .npz"
                raise PrototxtError(f"{path}: {key!r}: {what}")
            if item.flag_bits & _ENCRYPTED:
                raise PrototxtError(f"{path}: {key!r}: is encrypted: save the arrays without a password")
            arrays[key] = _blob(f"{path}: {key!r}", partial(archive.open, item), item.file_size)
    return arrays


def _blob(where: str, opener: Opener, size: int) -> LazyBlob:
    """An array whose header is read and whose length is checked."""
    with unbroken(where, "is no array, or a damaged one"), opener() as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise PrototxtError(f"{where}: is an array of the .npy version {version}, which weights never need")
        shape, _, dtype = _HEADERS[version](stream)
        if dtype.hasobject:
            raise PrototxtError(f"{where}: holds pickled objects, which are not read")
        needed, have = prod(shape) * dtype.itemsize, size - stream.tell()
        if needed != have:
            raise PrototxtError(f"{where}: has {have} bytes of values where its header needs {needed}")
    return LazyBlob(where, shape, dtype.name, partial(_values, opener))


def _values(opener: Opener) -> npt.NDArray[Any]:
    with opener() as stream:
        values: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return values


def write_npz(file: BinaryIO, layers: Iterable[LayerParams]) -> None:
    """Write `param/LAYER/INDEX`, not packed and without the time of day."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, index, param in ((layer.name, i, param) for layer in layers for i, param in enumerate(layer.params)):
            item = zipfile.ZipInfo(f"param/{name}/{index}.npy")
            with archive.open(item, "w", force_zip64=True) as stream:
                header = {"descr": "<f4", "fortran_order": False, "shape": param.shape}
                np.lib.format.write_array_header_1_0(stream, header)
                for piece in param.pieces():
                    stream.write(piece.data)


def _is_npz(source: MappedFile) -> bool:
    """A zip archive, empty or with a .npy as its first file; torch's files never have one there."""
    if source.starts_with(_ZIP):
        length = int.from_bytes(source.map[26:28], "little")
        return source.map[_FIRST_NAME : _FIRST_NAME + length].endswith(b".npy")
    return source.starts_with(b"PK\x05\x06")


def _read(source: MappedFile) -> Weights:
    arrays = read_npz(source.path)
    # A golden fixture has other things beside its params.
    params = {key: blob for key, blob in arrays.items() if "prototxt" not in arrays or key.startswith("param/")}
    return Weights.of(source.path, split_keys(source.path, params, f"param/(.+)/{INDEX}", "param/LAYER/INDEX"))


def _list(source: MappedFile) -> Listing:
    arrays = read_npz(source.path)
    return Listing.of_arrays("a golden fixture (.npz)" if "prototxt" in arrays else "arrays (.npz)", arrays)


def _list_npy(source: MappedFile) -> Listing:
    return Listing.of_arrays("an array (.npy)", {"array": read_npy(source.path)})


NPZ = Format("npz", (".npz",), _is_npz, _read, _list, layers_alone(write_npz))
NPY = Format(
    "npy", (".npy",), lambda source: source.starts_with(b"\x93NUMPY"), no_weights("one array (.npy)"), _list_npy
)
