"""A .safetensors: tensors by key, a net's params under the keys of its state_dict."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from math import prod
from typing import BinaryIO

from safetensors import safe_open

from ..format import Format, Listing, layers_alone
from ..layer_params import LayerParams, ParamValues
from ..weights import LazyBlob, Weights, unbroken
from ..wire import MappedFile
from .state_dict import state_of, state_weights

_LONGEST_HEADER = 1 << 32
_FLOAT, _ALIGNMENT = 4, 8


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


def write_safetensors(file: BinaryIO, layers: Iterable[LayerParams]) -> None:
    """Write a net's own state_dict as the safetensors library does."""
    write_tensors(file, state_of(layers))


def write_tensors(file: BinaryIO, state: Mapping[str, ParamValues]) -> None:
    """Write params by key as the safetensors library does, sorted."""
    params = sorted(state.items())
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for key, param in params:
        start, end = end, end + prod(param.shape) * _FLOAT
        header[key] = {"dtype": "F32", "shape": param.shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    file.write(len(text).to_bytes(8, "little") + text)
    for _, param in params:
        for piece in param.pieces():
            file.write(piece.data)


def _recognises(source: MappedFile) -> bool:
    """The length of a JSON object, and the object's first brace."""
    return source.map[8:9] == b"{" and int.from_bytes(source.map[:8], "little") < _LONGEST_HEADER


def _read(source: MappedFile) -> Weights:
    return state_weights(source.path, read_safetensors(source.path))


def _list(source: MappedFile) -> Listing:
    return Listing.of_arrays("tensors (.safetensors)", read_safetensors(source.path))


SAFETENSORS = Format(
    "safetensors", (".safetensors",), _recognises, _read, _list, layers_alone(write_safetensors), by_module=True
)
