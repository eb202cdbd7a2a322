"""Files of named arrays."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..prototxt import PrototxtError
from ..prototxt.files import whole_file
from .errors import GoldenError

_PIECE = re.compile(r"\.\d{3,}\.npz$")
_DAMAGED = (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every array of a .npz file by its key; pickled objects are refused."""
    try:
        with open(path, "rb") as stream:
            return _read(stream)
    except OSError as error:
        raise GoldenError(f"cannot be read: {error.strerror or error}") from None


def read_joined(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The same with the arrays of its pieces, where it names such: NAME.000.npz, NAME.001.npz ... beside it."""
    arrays = read_npz(path)
    if "piece" in arrays:
        raise GoldenError(f"is a piece of {arrays['piece']}, which should lie beside it: name that file")
    joined: dict[str, npt.NDArray[Any]] = {}
    for name, digest in _pieces(arrays):
        piece = path.with_name(name)
        if not piece.exists():
            raise GoldenError(f"lacks its piece {name}, which should lie beside it")
        with open(piece, "rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                raise GoldenError(f"its piece {name} is of another run, or damaged: it has another SHA-256")
        joined |= read_npz(piece)
    joined.pop("piece", None)
    return joined | arrays


def is_piece(path: Path) -> bool:
    """Whether a file is a piece of one that lies beside it."""
    whole = path.with_name(_PIECE.sub(".npz", path.name))
    return whole != path and whole.exists() and "piece" in (npz_keys(path) or [])


def npz_keys(path: Path) -> list[str] | None:
    """The keys of a .npz file, without reading its arrays; None if it is none or damaged."""
    try:
        with zipfile.ZipFile(path) as file:
            return [name.removesuffix(".npy") for name in file.namelist()]
    except (OSError, *_DAMAGED):
        return None


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write a .npz file beside its place, and move it there once it is whole and on the disk."""
    try:
        with whole_file(path, force=True) as part, open(part, "xb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except PrototxtError as error:
        raise GoldenError(str(error)) from None


def _pieces(arrays: dict[str, npt.NDArray[Any]]) -> list[tuple[str, str]]:
    """The names of a file's pieces with their SHA-256."""
    try:
        return [(Path(name).name, digest) for name, digest in json.loads(str(arrays.pop("pieces", "[]")))]
    except (ValueError, TypeError) as error:
        raise GoldenError(f"key 'pieces' is not a JSON list of [name, SHA-256]: {error}") from None


def _read(stream: IO[bytes]) -> dict[str, npt.NDArray[Any]]:
    if not zipfile.is_zipfile(stream):
        raise GoldenError("is no .npz file, or one cut short")
    stream.seek(0)
    try:
        with np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except _DAMAGED as error:
        raise GoldenError(f"is no .npz file, or a damaged one: {error}") from None
    for key, value in arrays.items():
        if not isinstance(value, np.ndarray):
            raise GoldenError(f"holds {key!r}, which is no array")
    return arrays
