"""All formats, and which of them a file has: by its content, then by its suffix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .format import Format
from .formats import BINARYPROTO, CAFFEMODEL, HDF5, NPY, NPZ, PT, SAFETENSORS, SOLVERSTATE
from .wire import MappedFile, disguise

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
