"""A .binaryproto: one blob in a file of its own, as a mean image is kept."""

from __future__ import annotations

import os

from .errors import PrototxtError
from .saved import SavedBlob, parse_blob
from .source import Source


def read_blob(path: str | os.PathLike[str] | Source) -> SavedBlob:
    """Read the blob; Caffe's tools write a mean as 1×channels×height×width, in BGR."""
    source = path if isinstance(path, Source) else Source(path)
    blob = parse_blob(source, source.message, f"{source.path}: its blob")
    if not blob.runs and not blob.shape:
        raise PrototxtError(f"{source.path}: holds no values: not a .binaryproto")
    return blob
