"""State dicts: what is in them, what is refused, and what is written."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.formats.pt import read_state_dict, write_pt
from recaffe.prototxt.net.net import Net


class Evil:
    """Runs a command where it is unpickled in earnest."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("zipped", [True, False])
def test_values_and_types(zipped: bool, values: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "file"
    torch.save(values, path, _use_new_zipfile_serialization=zipped)
    found = read_state_dict(str(path))
    assert {key: (blob.shape, blob.dtype) for key, blob in found.items()} == {
        key: (tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in values.items()
    }
    for key, value in values.items():
        assert torch.equal(found[key].tensor(), value.float())
        assert found[key].fits(tuple(value.shape))
        assert not found[key].fits((*value.shape, 1))


@pytest.mark.parametrize("zipped", [True, False])
def test_writing_to_a_tensor_leaves_the_file(zipped: bool, values: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "file"
    torch.save(values, path, _use_new_zipfile_serialization=zipped)
    before = path.read_bytes()
    read_state_dict(str(path))["a.0"].tensor().add_(1)
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


def test_a_zip_archive_without_its_end(values: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(values, tmp_path / "w.pt")
    (tmp_path / "w.pt").write_bytes((tmp_path / "w.pt").read_bytes()[:900])
    with pytest.raises(PrototxtError, match=r"w\.pt: is a zip archive without its end: the file is cut short or dam"):
        read_state_dict(str(tmp_path / "w.pt"))


def test_what_is_written_is_the_nets_state_dict(dotted: Net) -> None:
    state = {key: value.clone() for key, value in dotted.state_dict().items()}
    file = io.BytesIO()
    write_pt(file, params_of(dotted))
    dotted.fill({("ü.1", 0): torch.zeros(5, 3)})
    file.seek(0)
    written = torch.load(file, weights_only=True)
    assert list(written) == ["ü_1.0", "ü_1.1", "same.0", "same.1", "same#2.0", "same#2.1"]
    dotted.load_state_dict(written)
    assert all(torch.equal(state[key], value) for key, value in dotted.state_dict().items())


def test_a_second_file_has_the_same_bytes(lenet: Net) -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_pt(file, params_of(lenet))
    assert files[0].getvalue() == files[1].getvalue()
