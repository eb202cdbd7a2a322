"""All formats, and which of them a file has: by its content, then by its suffix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .binaryproto import BINARYPROTO
from .caffemodel import CAFFEMODEL
from .format import Format
from .hdf5 import HDF5
from .mapped_file import MappedFile, disguise
from .npz import NPY, NPZ
from .pt import PT
from .safetensors import SAFETENSORS
from .solverstate import SOLVERSTATE

FORMATS = (CAFFEMODEL, HDF5, NPZ, NPY, SAFETENSORS, PT, SOLVERSTATE, BINARYPROTO)
"""In the order in which they are asked whether a file is theirs."""


def sniff(source: MappedFile) -> Format:
    """The format of a file; what is of none that is read here counts as a .caffemodel, whose reader refuses it."""
    if found := _found(source, (one for one in FORMATS if one.signed)):
        return found
    if disguise(source):
        return CAFFEMODEL
    return _found(source, (one for one in FORMATS if not one.signed)) or CAFFEMODEL


def _found(source: MappedFile, formats: Iterable[Format]) -> Format | None:
    """The format that recognises a file, else the one of its suffix."""
    formats = list(formats)
    suffix = Path(source.path).suffix.lower()
    known = (one for one in formats if one.recognises(source))
    return next(known, None) or next((one for one in formats if suffix in one.suffixes), None)
