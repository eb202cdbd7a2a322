"""What an installation runs on."""

from __future__ import annotations

import pytest

from recaffe.layers import native
from recaffe.tools.report import installation


def test_kernels_that_are_not_built_come_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    assert "build_ext --inplace" in installation.examine()["machine"]["native kernels"]
    monkeypatch.setattr(native, "available", lambda: True)
    assert installation.examine()["machine"]["native kernels"] == "built"


def test_kernels_that_cannot_be_loaded_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise OSError("wrong ELF class")

    monkeypatch.setattr(native, "available", fail)
    assert installation.examine()["machine"]["native kernels"].startswith("cannot be loaded (wrong ELF class)")


def test_an_extra_is_missing_or_has_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    have = {"onnx": "1.16.0"}
    monkeypatch.setattr(installation, "_version", have.get)
    extras = installation.examine()["extras"]
    assert set(extras) == {"coco", "lmdb", "mat", "onnx", "plot", "tensorboard"}
    assert extras["onnx"] == "not installed: pip install 'recaffe[onnx]'"
    have["onnxruntime"] = "1.18.0"
    assert installation.examine()["extras"]["onnx"] == "onnx 1.16.0, onnxruntime 1.18.0"
