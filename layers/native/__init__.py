"""The C++ kernels: built with the package, loaded by ctypes, absent where no compiler was."""

from __future__ import annotations

import ctypes
import functools
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from torch import Tensor


@functools.cache
def library() -> ctypes.CDLL | None:
    """The built kernels, or None."""
    here = Path(__file__).parent
    built = [here / f"_kernels{suffix}" for suffix in EXTENSION_SUFFIXES if (here / f"_kernels{suffix}").exists()]
    return ctypes.CDLL(str(built[0])) if built else None


def available() -> bool:
    """Whether the kernels are built; without them the same operations run in plain torch, slower."""
    return library() is not None


def serves(*tensors: Tensor) -> bool:
    """Whether the kernels can work on these tensors: built, and the memory is the CPU's."""
    return available() and all(tensor.device.type == "cpu" for tensor in tensors)


def call(kernel: str, *args: Tensor | float) -> int:
    """Run a kernel: tensors go as pointers (the caller sees to dtype and layout), ints as int64, floats as double."""
    function = getattr(library(), f"recaffe_{kernel}")
    function.restype = ctypes.c_int64
    return int(function(*map(_c_value, args)))


def _c_value(value: Tensor | float) -> ctypes.c_void_p | ctypes.c_int64 | ctypes.c_double:
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_int64(value) if isinstance(value, int) else ctypes.c_double(value)
