"""`recaffe inspect` on files of every kind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from recaffe.prototxt.files.weights import LazyBlob
from recaffe.tools.main import main
from recaffe.tools.report.blob_values import Statistics, statistics

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
FORMATS = FIXTURES / "formats"


def text(capsys: pytest.CaptureFixture[str], path: Path) -> list[str]:
    assert main(["inspect", str(path)]) == 0
    return capsys.readouterr().out.splitlines()


def told(capsys: pytest.CaptureFixture[str], path: Path) -> dict[str, Any]:
    assert main(["inspect", str(path), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_weights_of_caffe(capsys: pytest.CaptureFixture[str]) -> None:
    path = FORMATS / "lenet.caffemodel"
    out = text(capsys, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert out[0] == f"{path}: Caffe weights (.caffemodel), 13.2 KiB, sha256 {digest}"
    assert out[1:6] == [
        "net: small_lenet",
        "generation: V2",
        "phase: TEST",
        "written by bvlc or microsoft or caffe-rfcn or ssd",
        "  field 143 input_param, 142 scale_param: bvlc, microsoft, caffe-rfcn, ssd",
    ]
    assert out[6].split() == ["layer", "type", "blob", "shape", "dtype", "min", "max", "mean", "not", "finite"]
    rows = [line.split() for line in out[7:-1]]
    assert rows[0] == ["data", "Input"]
    assert rows[1] == ["conv1", "Convolution", "0", "4×1×3×3", "float32", "-0.55239", "0.543269", "-0.0319306"]
    assert rows[2][:2] == ["1", "4"]
    assert out[-1] == "12 layers, 15 blobs, 3,167 values"


def test_weights_of_caffe_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    path = FIXTURES / "upgrade" / "v0_weights.old.caffemodel"
    found = told(capsys, path)
    layers = found.pop("layers")
    assert found == {
        "path": str(path),
        "kind": "Caffe weights (.caffemodel)",
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "net": "old_v0",
        "generation": "V0",
        "phase": "",
        "forks": ["bvlc", "fast-rcnn", "microsoft", "caffe-rfcn", "ssd"],
        "signs": {},
        "encodings": ["legacy dims"],
    }
    assert [(layer["name"], layer["type"], len(layer["blobs"])) for layer in layers][:3] == [
        ("margin", "padding", 0),
        ("conv", "conv", 2),
        ("relu", "relu", 0),
    ]
    with np.load(FIXTURES / "upgrade" / "v0_weights.npz") as golden:
        values = golden["param/conv/1"]
    assert layers[1]["blobs"][1] == {
        "index": 1,
        "shape": [1, 1, 1, 4],
        "dtype": "float32",
        "min": values.min(),
        "max": values.max(),
        "mean": pytest.approx(values.mean(dtype=np.float64), rel=1e-12),
        "nan": 0,
        "infinite": 0,
    }


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("lenet.caffemodel.h5", "Caffe weights (.caffemodel.h5)", "12 layers, 14 blobs, 2,207 values"),
        ("mean_tool.binaryproto", "one blob (.binaryproto)", "1 array, 144 values"),
        ("adam_iter_12.solverstate", "a solver's state (.solverstate)", "8 arrays, 1,290 values"),
        ("adam_iter_12.solverstate.h5", "a solver's state (.solverstate.h5)", "8 arrays, 1,290 values"),
        ("lenet.npz", "a golden fixture (.npz)", "26 arrays, 5,465 values"),
        ("mean.npz", "arrays (.npz)", "1 array, 126 values"),
    ],
)
def test_other_files(name: str, kind: str, count: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = text(capsys, FORMATS / name)
    assert out[0].startswith(f"{FORMATS / name}: {kind}, ")
    assert out[-1] == count


def test_a_solvers_state_tells_where_it_stood(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, FORMATS / "adam_iter_12.solverstate")
    assert (found["iter"], found["learned_net"], found["current_step"]) == (12, "adam_iter_12.caffemodel", 0)
    assert [entry["key"] for entry in found["arrays"]] == [f"history/{i}" for i in range(8)]
    assert "iter: 12" in text(capsys, FORMATS / "adam_iter_12.solverstate.h5")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npy"])
def test_files_of_tensors(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"file{suffix}"
    value = torch.tensor([[1.0, float("nan"), -3.0], [float("inf"), 5.0, float("-inf")]], dtype=torch.float64)
    if suffix == ".npy":
        np.save(path, value.numpy())
    else:
        (torch.save if suffix == ".pt" else save_file)({"conv1.weight": value}, path)  # a key of any kind
    (entry,) = told(capsys, path)["arrays"]
    assert entry.pop("key") == {".npy": "array"}.get(suffix, "conv1.weight")
    assert entry == {"shape": [2, 3], "dtype": "float64", "min": -3, "max": 5, "mean": 1, "nan": 1, "infinite": 2}
    assert text(capsys, path)[-2].split()[1:] == ["2×3", "float64", "-3", "5", "1", "1", "NaN,", "2", "infinite"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lenet.prototxt", "is text, not a .caffemodel"),
        ("bad_too_many_values.caffemodel", "layer 'fc', blob 1 holds 6 values, its shape 5 needs 5"),
        ("none", "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(FORMATS / name)]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"recaffe inspect: {FORMATS / name}: {message}\n"


def blob(values: np.ndarray) -> LazyBlob:
    return LazyBlob("here", values.shape, values.dtype.name, lambda: values)


def test_statistics_of_more_values_than_are_looked_at_together() -> None:
    values = np.random.RandomState(3).standard_normal(600_001).astype(np.float32)
    found = statistics(blob(values))
    assert found == Statistics(values.min(), values.max(), pytest.approx(values.mean(dtype=np.float64), rel=1e-9), 0, 0)
    values[[7, 300_000, 600_000]] = np.nan, np.inf, np.nan
    finite = values[np.isfinite(values)]
    assert statistics(blob(values)) == Statistics(
        finite.min(), finite.max(), pytest.approx(finite.mean(dtype=np.float64), rel=1e-9), 2, 1
    )


def test_statistics_where_nothing_is_finite() -> None:
    assert statistics(blob(np.zeros((0, 3), np.float32))) == Statistics(None, None, None, 0, 0)
    assert statistics(blob(np.full(3, np.nan, np.float32))) == Statistics(None, None, None, 3, 0)
    assert statistics(blob(np.array("text"))) is None
