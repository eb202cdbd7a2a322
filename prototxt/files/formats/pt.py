"""A .pt: a state_dict as torch.save writes it."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Iterable
from math import prod
from typing import BinaryIO

import torch
from torch import Tensor

from ...errors import PrototxtError
from ..format import Format, Listing, layers_alone
from ..layer_params import LayerParams
from ..weights import LazyBlob, Weights, unbroken
from ..wire import MappedFile
from .state_dict import state_of, state_weights


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


def write_pt(file: BinaryIO, layers: Iterable[LayerParams]) -> None:
    """Write a state_dict for `torch.load`."""
    torch.save({key: torch.from_numpy(param.array()) for key, param in state_of(layers).items()}, file)


def _recognises(source: MappedFile) -> bool:
    """A zip archive (NumPy's were asked before), or a pickle as torch wrote it of old."""
    return source.starts_with(b"PK\x03\x04", b"\x80\x02")


def _read(source: MappedFile) -> Weights:
    return state_weights(source.path, read_state_dict(source.path))


def _list(source: MappedFile) -> Listing:
    return Listing.of_arrays("a state_dict (.pt)", read_state_dict(source.path))


PT = Format("pt", (".pt", ".pth"), _recognises, _read, _list, layers_alone(write_pt), by_module=True)
