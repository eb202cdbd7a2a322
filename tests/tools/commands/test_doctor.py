"""`recaffe doctor`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from recaffe.layers import native
from recaffe.tools.commands import doctor
from recaffe.tools.main import main


def test_json_tells_what_the_text_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["versions"]["torch"] == torch.__version__
    assert report["versions"]["numpy"] == np.__version__
    assert report["machine"]["threads"].startswith(f"{torch.get_num_threads()} of ")
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for section in report.values():
        for name, finding in section.items():
            assert f"  {name} " in text
            assert finding in text


def test_kernels_that_are_not_built_come_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    assert "build_ext --inplace" in doctor.examine()["machine"]["native kernels"]
    monkeypatch.setattr(native, "available", lambda: True)
    assert doctor.examine()["machine"]["native kernels"] == "built"


def test_kernels_that_cannot_be_loaded_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise OSError("wrong ELF class")

    monkeypatch.setattr(native, "available", fail)
    assert doctor.examine()["machine"]["native kernels"].startswith("cannot be loaded (wrong ELF class)")


def test_an_extra_is_missing_or_has_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    have = {"onnx": "1.16.0"}
    monkeypatch.setattr(doctor, "_version", have.get)
    extras = doctor.examine()["extras"]
    assert set(extras) == {"coco", "lmdb", "mat", "onnx", "plot", "tensorboard"}
    assert extras["onnx"] == "not installed: pip install 'recaffe[onnx]'"
    have["onnxruntime"] = "1.18.0"
    assert doctor.examine()["extras"]["onnx"] == "onnx 1.16.0, onnxruntime 1.18.0"
