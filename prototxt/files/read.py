"""The one way in, for files of every format."""

from __future__ import annotations

import os

from .format import Listing
from .sniff import sniff
from .weights import Weights
from .wire import MappedFile


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read layers and their blobs from a file of any format; values stay in the file until a blob's `tensor()`.

    Formats are .caffemodel of every age and fork, .caffemodel.h5, .npz (keys param/LAYER/INDEX, or a golden fixture),
    .safetensors and a state_dict in a .pt (keys LAYER.INDEX, as `Net.state_dict` has). Content says which, not suffix.
    """
    source = MappedFile(path)
    return sniff(source).read(source)


def list_file(path: str | os.PathLike[str]) -> Listing:
    """Open a file of any format and list what it holds; values stay in the file."""
    source = MappedFile(path)
    return sniff(source).listing(source)
