"""Rounding around a true zero: told apart from what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.golden.errors import GoldenError
from recaffe.golden.proof.model import load_model, prove
from recaffe.golden.proof.rounding import rounding
from recaffe.golden.proof.trial import run_blobs
from recaffe.prototxt.export.models import write_model
from recaffe.prototxt.export.onnx.writers import normalising
from recaffe.prototxt.files.weights import Floats
from recaffe.prototxt.net.net import Net

BATCH = 'type: "BatchNorm" batch_norm_param { use_global_stats: false }'
MVN = 'type: "MVN"'


def level(kind: str, top: str = "n") -> Net:
    """A net that normalises what is the same all over a blank picture."""
    return Net.from_prototxt(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 29 dim: 33 } } }\n'
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 4 kernel_size: 3 '
        'weight_filler { type: "xavier" } bias_filler { type: "uniform" min: 2 max: 7 } } }\n'
        f'layer {{ name: "n" {kind} bottom: "c" top: "{top}" }}\n'
        f'layer {{ name: "s" type: "Scale" bottom: "{top}" top: "{top}" scale_param {{ filler {{ value: 3 }} }} }}\n'
        f'layer {{ name: "r" type: "ReLU" bottom: "{top}" top: "{top}" relu_param {{ negative_slope: 0.5 }} }}\n'
        f'layer {{ name: "d" type: "Convolution" bottom: "{top}" top: "d" convolution_param {{ num_output: 2 '
        'kernel_size: 3 weight_filler { type: "xavier" } } }\n'
    )


@pytest.mark.parametrize("kind", [BATCH, MVN])
@pytest.mark.parametrize("top", ["n", "c"])
def test_an_onnx_model_that_rounds_otherwise_holds(kind: str, top: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    net = level(kind, top)
    write_model(tmp_path / "a.onnx", "net", net.parts, net.inputs, net.outputs)
    told = prove(net, load_model(tmp_path / "a.onnx"))
    assert [line.partition(" input")[0].split(" on a ")[1] for line in told] == ["random", "blank"]


def test_a_program_whose_outputs_alone_can_be_seen_holds(tmp_path: Path) -> None:
    net = level(MVN)
    write_model(tmp_path / "a.pt2", "net", net.parts, net.inputs, net.outputs)
    random, blank = prove(net, load_model(tmp_path / "a.pt2"))
    assert random == "1 blobs the same on a random input"
    assert blank.startswith("1 blobs the same on a blank input")


def test_a_wrong_onnx_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(normalising, "_normalised", lambda x, axes, eps: x)
    net = level(BATCH)
    write_model(tmp_path / "a.onnx", "net", net.parts, net.inputs, net.outputs)
    with pytest.raises(GoldenError, match=r"^on a random input top/n: "):
        prove(net, load_model(tmp_path / "a.onnx"))


class Blank:
    """A model that moves one blob on the blank input; `alone` it does so, too, or cannot be run."""

    def __init__(self, net: Net, blob: str, by: float, alone: bool) -> None:
        self.net, self.blob, self.by, self.runs_alone = net, blob, by, alone

    def chained(self, feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        return self._moved(run_blobs(self.net, feed))

    def alone(self, blobs: Mapping[str, Tensor]) -> dict[str, Floats]:
        return self._moved({name: value.numpy() for name, value in blobs.items()}) if self.runs_alone else {}

    def _moved(self, blobs: Mapping[str, Floats]) -> dict[str, Floats]:
        by = 0.0 if blobs["x"].any() else self.by
        return {name: value + np.float32(by * (name == self.blob)) for name, value in blobs.items()}


@pytest.mark.parametrize("alone", [True, False])
def test_on_a_blank_picture_too_a_wrong_value_is_refused(alone: bool) -> None:
    net = level(BATCH)
    told = prove(net, Blank(level(BATCH), "n", 2e-3, alone))
    assert "top/n: 3348 of 3348 values differ" in told[1]
    with pytest.raises(GoldenError, match=r"^on a blank input top/n: 3348 of 3348 values differ"):
        prove(net, Blank(level(BATCH), "n", 1.0, alone))
    with pytest.raises(GoldenError, match=r"^on a blank input top/c: "):
        prove(net, Blank(level(BATCH), "c", 1e-2, alone))


def test_only_what_is_all_the_same_is_rounding() -> None:
    net = level(BATCH)
    generator = torch.Generator().manual_seed(3)
    found = rounding(net.steps, {"x": torch.rand(1, 3, 29, 33, generator=generator)})
    assert {name: spread.max() for name, spread in found.items()} == {"c": 0, "n": 0, "d": 0}
    found = rounding(net.steps, {"x": torch.zeros(1, 3, 29, 33)})
    assert found["c"].max() == 0
    assert 1e-3 < found["n"].max() < 0.6
    assert net.layer("n").params[2].item() == 0  # running statistics stay
