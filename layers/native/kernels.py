"""The C++ kernels: built with the package, loaded by ctypes, absent where no compiler was."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import warnings
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import torch
from torch import Tensor


@functools.cache
def library() -> ctypes.CDLL | None:
    """The built kernels, or None; those of other sources than these would be called with the wrong arguments."""
    here = Path(__file__).parent
    built = [here / f"_kernels{suffix}" for suffix in EXTENSION_SUFFIXES if (here / f"_kernels{suffix}").exists()]
    if not built:
        return None
    kernels = ctypes.CDLL(str(built[0]))
    if _built_from(kernels) != _fingerprint(here):
        text = f"{built[0]} is not built from the sources beside it: install again; until then all is slower"
        warnings.warn(text, stacklevel=2)
        return None
    return kernels


def _built_from(kernels: ctypes.CDLL) -> str:
    if not hasattr(kernels, "recaffe_sources"):
        return ""
    kernels.recaffe_sources.restype = ctypes.c_char_p
    return str(kernels.recaffe_sources().decode())


def _fingerprint(folder: Path) -> str:
    """As setup.py takes it."""
    sources = sorted([*folder.glob("*.cpp"), *folder.glob("*.h")])
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def available() -> bool:
    """Whether the kernels are built; without them the same operations run in plain torch, slower."""
    return library() is not None


def serves(*tensors: Tensor) -> bool:
    """Whether the kernels can work on these tensors: built, and the memory is the CPU's."""
    return available() and all(tensor.device.type == "cpu" for tensor in tensors)


def channels_last(features: Tensor) -> bool:
    """Whether the channels of feature maps (N, C, H, W) lie last in memory, all else as it is named."""
    return not features.is_contiguous() and features.is_contiguous(memory_format=torch.channels_last)


def dense(features: Tensor) -> tuple[Tensor, bool]:
    """Feature maps (N, C, H, W) as the kernels read them, with channels second or last in memory, and whether last."""
    last = channels_last(features)
    return (features, True) if last else (features.contiguous(), False)


def call(kernel: str, *args: Tensor | float) -> int:
    """Run a kernel: tensors go as pointers (the caller sees to dtype and layout), ints as int64, floats as double."""
    function = getattr(library(), f"recaffe_{kernel}")
    function.restype = ctypes.c_int64
    return int(function(*map(_c_value, args)))


def _c_value(value: Tensor | float) -> ctypes.c_void_p | ctypes.c_int64 | ctypes.c_double:
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_int64(value) if isinstance(value, int) else ctypes.c_double(value)
