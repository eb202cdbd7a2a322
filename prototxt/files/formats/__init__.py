"""The formats of files of weights: one module each, which recognises, reads and writes its own."""

from .binaryproto import BINARYPROTO, read_blob
from .caffemodel import CAFFEMODEL
from .hdf5 import HDF5
from .npz import NPY, NPZ, read_npz
from .pt import PT
from .safetensors import SAFETENSORS, write_tensors
from .solverstate import LARGEST, SOLVERSTATE, SolverState, read_solverstate, write_solverstate

__all__ = [
    "BINARYPROTO",
    "CAFFEMODEL",
    "HDF5",
    "LARGEST",
    "NPY",
    "NPZ",
    "PT",
    "SAFETENSORS",
    "SOLVERSTATE",
    "SolverState",
    "read_blob",
    "read_npz",
    "read_solverstate",
    "write_solverstate",
    "write_tensors",
]
