"""Safetensors: what is in them, what is refused, and what is written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors.torch import save_file

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.formats.safetensors import read_safetensors, write_safetensors
from recaffe.prototxt.net.net import Net


def test_values_and_types(values: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "file"
    save_file(values, path)
    found = read_safetensors(str(path))
    assert {key: (blob.shape, blob.dtype) for key, blob in found.items()} == {
        key: (tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in values.items()
    }
    for key, value in values.items():
        assert torch.equal(found[key].tensor(), value.float())
        assert found[key].fits(tuple(value.shape))
        assert not found[key].fits((*value.shape, 1))


def test_writing_to_a_tensor_leaves_the_file(values: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "file"
    save_file(values, path)
    before = path.read_bytes()
    read_safetensors(str(path))["a.0"].tensor().add_(1)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (b'{"a.0":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,8]}}', 8),
        (b'{"a.0":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4),
        (b'{"a.0":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 12),
        (b'{"a.0":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}', 16),
        (b'{"a.0":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}', 8),
        (b"{}}", 0),
    ],
)
def test_a_header_that_lies(header: bytes, size: int, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(PrototxtError, match=r"w\.safetensors: is no \.safetensors, or a damaged one: [^\n]+$"):
        read_safetensors(str(path))


@pytest.mark.parametrize("length", [0, 1, 1 << 31, 1 << 40, (1 << 64) - 1])
def test_a_length_of_the_header_that_lies(length: int, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"{}")
    with pytest.raises(PrototxtError, match=r"w\.safetensors: is no \.safetensors, or a damaged one: [^\n]+$"):
        read_safetensors(str(path))


@pytest.mark.parametrize("name", ["dotted", "lenet"])
def test_what_is_written_has_the_librarys_bytes(name: str, request: pytest.FixtureRequest) -> None:
    net: Net = request.getfixturevalue(name)
    file = io.BytesIO()
    write_safetensors(file, params_of(net))
    state = {key: value.clone() for key, value in net.state_dict().items()}
    assert file.getvalue() == safetensors.torch.save(state, {"format": "pt"})


def test_a_second_file_has_the_same_bytes(lenet: Net) -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_safetensors(file, params_of(lenet))
    assert files[0].getvalue() == files[1].getvalue()
