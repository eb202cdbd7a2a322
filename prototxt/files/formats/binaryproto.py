"""A .binaryproto: one blob in a file of its own, as a mean image is kept."""

from __future__ import annotations

import os

from ...errors import PrototxtError
from ..format import Format, Listing, no_weights
from ..wire import FIXED32, FIXED64, LENGTH, VARINT, MappedFile, SavedBlob, parse_blob

_WHAT = "one blob (.binaryproto)"
_VALUES_OR_SHAPE = {(5, LENGTH), (5, FIXED32), (7, LENGTH), (8, FIXED64), (12, LENGTH)}


def read_blob(path: str | os.PathLike[str] | MappedFile) -> SavedBlob:
    """Read the blob; Caffe's tools write a mean as 1×channels×height×width, in BGR."""
    source = path if isinstance(path, MappedFile) else MappedFile(path)
    blob = parse_blob(source, source.message, f"{source.path}: its blob")
    if not blob.runs and not blob.shape:
        raise PrototxtError(f"{source.path}: holds no values: not a .binaryproto")
    return blob


def _recognises(source: MappedFile) -> bool:
    """Two legacy dims, or values or a shape; nets and solvers' states were asked before."""
    if (1, VARINT) in source.fields:
        return (2, VARINT) in source.fields
    return not _VALUES_OR_SHAPE.isdisjoint(source.fields)


def _list(source: MappedFile) -> Listing:
    return Listing.of_arrays(_WHAT, {"blob": read_blob(source)})


BINARYPROTO = Format("binaryproto", (".binaryproto",), _recognises, no_weights(_WHAT), _list, signed=False)
