"""NumPy's files: one array in a .npy, several by key in a .npz."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import PrototxtError
from .weights import LazyBlob, unbroken

Opener = Callable[[], IO[bytes]]
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


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
