"""Which kind a file is, whatever its name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from recaffe.prototxt.caffe_pb2 import BlobProto, BlobShape, SolverState
from recaffe.prototxt.files.sniff import FORMATS, sniff
from recaffe.prototxt.files.wire.mapped_file import MappedFile

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"


def torch_file(zipped: bool) -> bytes:
    stream = io.BytesIO()
    torch.save({"a.0": torch.zeros(3)}, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def numpy_file(archive: bool) -> bytes:
    stream = io.BytesIO()
    if archive:
        np.savez(stream, a=np.zeros(3))
    else:
        np.save(stream, np.zeros(3))
    return stream.getvalue()


CONTENTS = {
    "pt": torch_file(True),
    "npz": numpy_file(True),
    "npy": numpy_file(False),
    "safetensors": save({"a.0": torch.zeros(3)}),
    "hdf5": (FIXTURES / "formats" / "lenet.caffemodel.h5").read_bytes(),
    "solverstate": SolverState(iter=3, learned_net="x", history=[BlobProto(data=[1])]).SerializeToString(),
    "binaryproto": BlobProto(shape=BlobShape(dim=[2]), data=[1, 2]).SerializeToString(),
}


@pytest.mark.parametrize("suffix", ["", ".caffemodel", ".bin", ".pt"])
@pytest.mark.parametrize("kind", ["pt", "npz", "npy", "safetensors", "hdf5"])
def test_first_bytes_come_before_the_name(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(CONTENTS[kind])
    assert sniff(MappedFile(path)).name == kind


@pytest.mark.parametrize("kind", ["solverstate", "binaryproto"])
def test_fields_tell_what_caffes_own_files_are(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file.caffemodel"
    path.write_bytes(CONTENTS[kind])
    assert sniff(MappedFile(path)).name == kind


def test_every_file_of_caffes() -> None:
    kinds = {".caffemodel": "caffemodel", ".binaryproto": "binaryproto", ".solverstate": "solverstate", ".h5": "hdf5"}
    paths = [path for path in FIXTURES.rglob("*") if path.suffix in kinds and "data_layers" not in path.parts]
    assert len(paths) > 35
    assert [str(path) for path in paths if sniff(MappedFile(path)).name != kinds[path.suffix]] == []


def test_old_files_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(torch_file(False))
    assert sniff(MappedFile(path)).name == "pt"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.safetensors", b"\xff" * 20, "safetensors"),
        ("a.pth", b"", "pt"),
        ("a.H5", b"cut", "hdf5"),
        ("a.solverstate", b"", "solverstate"),
        ("a.binaryproto", b"", "binaryproto"),
        ("a", b"", "caffemodel"),
        ("a.binaryproto", b"name: 'a text'\n", "caffemodel"),
    ],
)
def test_where_nothing_else_tells_the_name_does(name: str, data: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert sniff(MappedFile(tmp_path / name)).name == kind


def test_a_name_and_a_suffix_are_of_one_format() -> None:
    for facts in ([one.name for one in FORMATS], [suffix for one in FORMATS for suffix in one.suffixes]):
        assert len(set(facts)) == len(facts)
