"""Files of tensors as PyTorch's users write them: .safetensors, and a state_dict in a .pt."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from functools import partial
from math import prod

import torch
from safetensors import safe_open
from torch import Tensor

from ..errors import PrototxtError
from .weights import LazyBlob, unbroken


def read_safetensors(path: str) -> dict[str, LazyBlob]:
    """The tensors of a .safetensors by key."""
    with unbroken(path, "is no .safetensors, or a damaged one"):
        file = safe_open(path, framework="pt")
        found = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 - it is no dict
    return {
        key: LazyBlob(
            f"{path}: {key!r}", tuple(part.get_shape()), _dtype(part.get_dtype()), partial(file.get_tensor, key)
        )
        for key, part in found.items()
    }


def _dtype(name: str) -> str:
    """A type by torch's name, where that can be told from the file's: F32 is float32, BOOL is bool."""
    bits = name.lstrip("BFIU")
    kind = (
        {"BF": "bfloat", "F": "float", "I": "int", "U": "uint"}.get(name.removesuffix(bits)) if bits.isdecimal() else ""
    )
    return f"{kind}{bits}" if kind else name.lower()


def read_state_dict(path: str) -> dict[str, LazyBlob]:
    """The tensors of a state_dict by key; the file is mapped, and nothing pickled in it is ever run."""
    with unbroken(path, "is no state_dict, or a damaged one"):
        found = _load(path)
    if not isinstance(found, dict):
        raise PrototxtError(f"{path}: holds a {type(found).__name__}, not a state_dict: save net.state_dict()")
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            kind = type(value).__name__
            raise PrototxtError(f"{path}: {key!r} is a {kind}, not a tensor of a state_dict: save net.state_dict()")
    return {key: _blob(f"{path}: {key!r}", value) for key, value in found.items()}


def _blob(where: str, value: Tensor) -> LazyBlob:
    size = prod(value.shape) * value.element_size()
    # A stride of 0 makes any number of values out of one: copied out they would fill the memory.
    if value.layout is torch.strided and size > value.untyped_storage().nbytes():
        raise PrototxtError(f"{where} has more values than the file holds for it")
    return LazyBlob(where, tuple(value.shape), str(value.dtype).removeprefix("torch."), lambda: value)


def _load(path: str) -> object:
    """What torch.load gives; its own errors advise to run the pickled code."""
    zipped = zipfile.is_zipfile(path)
    if not zipped and _starts_as_zip(path):
        raise PrototxtError(f"{path}: is a zip archive without its end: the file is cut short or damaged")
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except (pickle.UnpicklingError, RuntimeError) as error:
        told = str(error)
        if "TorchScript" in told or "GLOBAL" in told:
            raise PrototxtError(f"{path}: holds pickled code, which is not run: save net.state_dict()") from error
        if isinstance(error, RuntimeError):
            raise
        told = told.partition("WeightsUnpickler error: ")[2] or "not what torch.save writes"
        raise pickle.UnpicklingError(told) from error


def _starts_as_zip(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"PK"
