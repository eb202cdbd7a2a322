"""Writing params as arrays by key: .npz, .safetensors, and .pt for torch."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from math import prod
from typing import BinaryIO

import numpy as np
import torch

from .net_params import OutLayer, OutParam

_FLOAT, _ALIGNMENT = 4, 8


def write_npz(file: BinaryIO, layers: Iterable[OutLayer]) -> None:
    """Write `param/LAYER/INDEX`, not packed and without the time of day."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, index, param in ((layer.name, i, param) for layer in layers for i, param in enumerate(layer.params)):
            item = zipfile.ZipInfo(f"param/{name}/{index}.npy")
            with archive.open(item, "w", force_zip64=True) as stream:
                header = {"descr": "<f4", "fortran_order": False, "shape": param.shape}
                np.lib.format.write_array_header_1_0(stream, header)
                for piece in param.pieces():
                    stream.write(piece.data)


def write_safetensors(file: BinaryIO, layers: Iterable[OutLayer]) -> None:
    """Write a net's own state_dict as the safetensors library does."""
    write_state(file, _by_key(layers))


def write_state(file: BinaryIO, state: Mapping[str, OutParam]) -> None:
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


def write_pt(file: BinaryIO, layers: Iterable[OutLayer]) -> None:
    """Write a state_dict for `torch.load`."""
    torch.save({key: torch.from_numpy(param.array()) for key, param in _by_key(layers).items()}, file)


def _by_key(layers: Iterable[OutLayer]) -> dict[str, OutParam]:
    """Params by the keys that the net's own state_dict has."""
    return {f"{layer.key}.{index}": param for layer in layers for index, param in enumerate(layer.params)}
