"""Files of weights of every kind, read without copies."""

from .binaryproto import read_blob
from .blob_proto import SavedBlob, parse_blob
from .caffemodel import read_caffemodel
from .datum import read_datum
from .dialects import DIALECTS, Dialect, DialectError, dialect_of
from .forks import FORKS, survey
from .hdf5 import BAD_HDF5, hdf5_blob, hdf5_item, holds_solverstate, open_hdf5, read_hdf5
from .mapped_file import MappedFile
from .npz import read_npy, read_npz
from .read import read_weights
from .sniff import kind_of
from .tensors import read_safetensors, read_state_dict
from .weights import Blob, SavedLayer, Weights, unbroken
from .whole_file import brought_to_disk, whole_file
from .wire import FIXED32, LENGTH

__all__ = [
    "BAD_HDF5",
    "DIALECTS",
    "FIXED32",
    "FORKS",
    "LENGTH",
    "Blob",
    "Dialect",
    "DialectError",
    "MappedFile",
    "SavedBlob",
    "SavedLayer",
    "Weights",
    "brought_to_disk",
    "dialect_of",
    "hdf5_blob",
    "hdf5_item",
    "holds_solverstate",
    "kind_of",
    "open_hdf5",
    "parse_blob",
    "read_blob",
    "read_caffemodel",
    "read_datum",
    "read_hdf5",
    "read_npy",
    "read_npz",
    "read_safetensors",
    "read_state_dict",
    "read_weights",
    "survey",
    "unbroken",
    "whole_file",
]
