"""A .binaryproto: one blob in a file of its own, as a mean image is kept."""

from __future__ import annotations

import os

from ..errors import PrototxtError
from .blob_proto import SavedBlob, parse_blob
from .mapped_file import MappedFile


def read_blob(path: str | os.PathLike[str] | MappedFile) -> SavedBlob:
    """Read the blob; Caffe's tools write a mean as 1×channels×height×width, in BGR."""
    source = path if isinstance(path, MappedFile) else MappedFile(path)
    blob = parse_blob(source, source.message, f"{source.path}: its blob")
    if not blob.runs and not blob.shape:
        raise PrototxtError(f"{source.path}: holds no values: not a .binaryproto")
    return blob
