"""State dicts and safetensors: what is in them, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.files.tensors import read_safetensors, read_state_dict

VALUES = {
    "a.0": torch.arange(6, dtype=torch.float32).view(2, 3),
    "b.0": torch.tensor([1.5, -2], dtype=torch.bfloat16),
    "b.1": torch.tensor([3, -4, 5], dtype=torch.int8),
    "c.0": torch.tensor(0.1, dtype=torch.float64),
    "d.0": torch.tensor([True, False]),
    "e.0": torch.zeros(0, 3),
}


class Evil:
    """Runs a command where it is unpickled in earnest."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("form", ["safetensors", "pt", "old pt"])
def test_values_and_types(form: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if form == "safetensors":
        save_file(VALUES, path)
    else:
        torch.save(VALUES, path, _use_new_zipfile_serialization=form == "pt")
    found = read_safetensors(str(path)) if form == "safetensors" else read_state_dict(str(path))
    assert {key: (blob.shape, blob.dtype) for key, blob in found.items()} == {
        key: (tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in VALUES.items()
    }
    for key, value in VALUES.items():
        assert torch.equal(found[key].tensor(), value.float())
        assert found[key].fits(tuple(value.shape))
        assert not found[key].fits((*value.shape, 1))


@pytest.mark.parametrize("form", ["safetensors", "pt", "old pt"])
def test_writing_to_a_tensor_leaves_the_file(form: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if form == "safetensors":
        save_file(VALUES, path)
    else:
        torch.save(VALUES, path, _use_new_zipfile_serialization=form == "pt")
    before = path.read_bytes()
    found = read_safetensors(str(path)) if form == "safetensors" else read_state_dict(str(path))
    found["a.0"].tensor().add_(1)
    assert path.read_bytes() == before


def test_tensors_in_any_order_of_memory(tmp_path: Path) -> None:
    value = torch.arange(24.0).view(2, 3, 4).transpose(0, 2)
    torch.save({"a.0": value, "b.0": torch.nn.Parameter(value[1:])}, tmp_path / "w.pt")
    found = read_state_dict(str(tmp_path / "w.pt"))
    assert torch.equal(found["a.0"].tensor(), value)
    assert torch.equal(found["b.0"].tensor(), value[1:])
    assert not found["b.0"].tensor().requires_grad


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a.0": Evil()}, "holds pickled code, which is not run: save net.state_dict()"),
        (torch.nn.Linear(2, 3), "holds pickled code, which is not run: save net.state_dict()"),
        ([torch.zeros(3)], "holds a list, not a state_dict: save net.state_dict()"),
        ({"epoch": 3}, "'epoch' is a int, not a tensor of a state_dict: save net.state_dict()"),
        ({7: torch.zeros(3)}, "7 is a Tensor, not a tensor of a state_dict: save net.state_dict()"),
        ({"a.0": torch.zeros(1).expand(10**6, 10**7)}, "'a.0' has more values than the file holds for it"),
    ],
)
def test_what_is_no_state_dict(
    content: object, message: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.pt"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(PrototxtError) as error:
        read_state_dict(str(path))
    assert str(error.value) == f"{path}: {message}"
    assert not Path("ran").exists()


@pytest.mark.parametrize("value", [torch.zeros(2, dtype=torch.complex64), torch.eye(3).to_sparse()])
def test_tensors_of_other_kinds_are_refused(value: torch.Tensor, tmp_path: Path) -> None:
    torch.save({"a.0": value}, tmp_path / "w.pt")
    with pytest.raises(PrototxtError, match=r"'a\.0' holds \w+, which is no plain array of real numbers$"):
        read_state_dict(str(tmp_path / "w.pt"))["a.0"].tensor()


def test_a_zip_archive_without_its_end(tmp_path: Path) -> None:
    torch.save(VALUES, tmp_path / "w.pt")
    (tmp_path / "w.pt").write_bytes((tmp_path / "w.pt").read_bytes()[:900])
    with pytest.raises(PrototxtError, match=r"w\.pt: is a zip archive without its end: the file is cut short or dam"):
        read_state_dict(str(tmp_path / "w.pt"))


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
