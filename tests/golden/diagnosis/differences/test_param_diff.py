"""Params beside the golden ones, and what their values tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recaffe.golden.diagnosis.differences.param_diff import compare_params
from recaffe.golden.diagnosis.language.vocabulary import Vocabulary
from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject

NETS = Path(__file__).parents[4] / "golden" / "fixtures" / "nets"
FRCNN = Fixture.load(NETS / "frcnn_test.npz")
Array = npt.NDArray[Any]


def differences(changed: dict[tuple[str, int], Array], tolerance: float = 0.0) -> list[str]:
    net = Subject().build(FRCNN)
    Subject().fill(net, replace(FRCNN, params=FRCNN.params | changed))
    return [str(d) for d in compare_params(net, FRCNN.params, Vocabulary(net), tolerance)]


def one_more(values: Array) -> Array:
    values = values.copy()
    values.flat[7] += 1
    return values


@pytest.mark.parametrize(
    ("layer", "index", "change", "line"),
    [
        ("fc7", 0, one_more, "one single value differs (output 0, input 7)"),
        ("fc7", 0, lambda w: w.T.copy(), "it is transposed: stored inputs first (output 0, input 1)"),
        ("fc7", 0, np.zeros_like, "it is all zeros (output 0, input 0)"),
        ("fc7", 0, lambda w: w * np.float32(2), "it is 2 times the golden's (output 0, input 0)"),
        ("fc7", 0, lambda w: w + w.max(), "1024 of 1024 values differ, first at [0, 0]"),
        ("conv3_1", 0, lambda w: w[:, :, ::-1, ::-1].copy(), "its kernels are turned by 180 degrees"),
        ("conv1_1", 0, lambda w: w[:, ::-1].copy(), "its input channels are in reverse order: BGR and RGB exchanged"),
        ("conv1_1", 0, lambda w: w.astype(np.float16).astype(np.float32), "it went through half floats"),
        ("conv5_1", 1, lambda b: b[::-1].copy(), "it is stale: param 0 of the layer is the golden's, this one is not"),
        (
            "bbox_pred",
            0,
            lambda w: (w.T * np.tile(np.float32([0.1, 0.1, 0.2, 0.2]), 4)).T.copy(),
            "each output is a multiple of the golden's (0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2, 0.2, ...): as box layers",
        ),
        (
            "cls_score",
            0,
            lambda w: (w.T * np.float32([1, -1, 1, 0.5])).T.copy(),
            "each output is a multiple of the golden's (1, -1, 1, 0.5) (class 1, input 0)",
        ),
    ],
)
def test_a_guess(layer: str, index: int, change: Callable[[Array], Array], line: str) -> None:
    (told,) = differences({(layer, index): change(FRCNN.params[layer, index])})
    assert told.startswith(f"layer {layer!r}, param {index}: {line}")


def test_swapped_params_name_each_other() -> None:
    a, b = ("conv1_1", 1), ("conv1_2", 1)
    assert differences({a: FRCNN.params[b], b: FRCNN.params[a]}) == [
        "layer 'conv1_1', param 1: it is that of layer 'conv1_2', param 1: swapped (output 0)",
        "layer 'conv1_2', param 1: it is that of layer 'conv1_1', param 1: swapped (output 0)",
    ]


def test_equal_bits_are_asked_for_unless_a_tolerance_is_given() -> None:
    bias = FRCNN.params["conv5_1", 1] * np.float32(1 + 1e-6)
    assert len(differences({("conv5_1", 1): bias})) == 1
    assert differences({("conv5_1", 1): bias}, 1e-5) == []


def test_a_layer_that_the_net_lacks() -> None:
    net = Subject().build(FRCNN)
    Subject().fill(net, FRCNN)
    extra = {("fc8", 0): np.zeros(3, np.float32), ("fc7", 2): np.zeros(3, np.float32)}
    found = compare_params(net, FRCNN.params | extra, Vocabulary(net))
    assert [str(d) for d in found] == ["layer 'fc7', param 2: missing", "layer 'fc8', param 0: missing"]
