"""Files of weights of every format: told, read without copies, listed and written; and files that appear whole."""

from .format import Format, Listing
from .formats import (
    CAFFEMODEL,
    HDF5,
    LARGEST,
    SAFETENSORS,
    SOLVERSTATE,
    SolverState,
    read_blob,
    read_npz,
    read_solverstate,
    write_solverstate,
    write_tensors,
)
from .layer_params import LayerParams, ParamValues
from .read import list_file, read_weights
from .weights import Blob, Floats, LazyBlob, SavedLayer, Weights, unbroken
from .whole_file import brought_to_disk, whole_file
from .wire import DIALECTS, Dialect, DialectError, dialect_of, read_datum
from .write import WRITABLE, format_for, write_params

__all__ = [
    "CAFFEMODEL",
    "DIALECTS",
    "HDF5",
    "LARGEST",
    "SAFETENSORS",
    "SOLVERSTATE",
    "WRITABLE",
    "Blob",
    "Dialect",
    "DialectError",
    "Floats",
    "Format",
    "LayerParams",
    "LazyBlob",
    "Listing",
    "ParamValues",
    "SavedLayer",
    "SolverState",
    "Weights",
    "brought_to_disk",
    "dialect_of",
    "format_for",
    "list_file",
    "read_blob",
    "read_datum",
    "read_npz",
    "read_solverstate",
    "read_weights",
    "unbroken",
    "whole_file",
    "write_params",
    "write_solverstate",
    "write_tensors",
]
