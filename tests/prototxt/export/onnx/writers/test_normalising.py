"""Layers that shift and scale by channel or neighbourhood, and Softmax, give the same in ONNX."""

from __future__ import annotations

import pytest
import torch

from ..conftest import Agree, inputs, layer, random_net

SHAPES = ({"x": (2, 3, 5, 4)}, {"x": (1, 3, 7, 2)}, {"x": (0, 3, 5, 4)})
FILLED = SHAPES[:2]


@pytest.mark.parametrize("kind", ["Bias", "Scale"])
@pytest.mark.parametrize(
    "fields", ["", "axis: 0 num_axes: 0", "axis: -1", "axis: 1 num_axes: 2", "axis: 0 num_axes: -1"]
)
def test_params(kind: str, fields: str, agree: Agree) -> None:
    param = f"{kind.lower()}_param {{ {fields} {'bias_term: true' if kind == 'Scale' else ''} }}"
    agree(inputs(x=(2, 3, 5, 4)) + layer(kind, param), {"x": (2, 3, 5, 4)})


@pytest.mark.parametrize("kind", ["Bias", "Scale"])
@pytest.mark.parametrize(("fields", "shape"), [("", (3,)), ("axis: 0", (2, 3)), ("axis: 2", (5, 4)), ("", ())])
def test_a_second_bottom(kind: str, fields: str, shape: tuple[int, ...], agree: Agree) -> None:
    text = inputs(x=(2, 3, 5, 4), z=shape) + layer(kind, f"{kind.lower()}_param {{ {fields} }}", "x z")
    agree(text, {"x": (2, 3, 5, 4), "z": shape})


def test_a_second_bottom_and_a_bias(agree: Agree) -> None:
    text = inputs(x=(2, 3, 5, 4), z=(2, 3)) + layer("Scale", "scale_param { axis: 0 bias_term: true }", "x z")
    agree(text, {"x": (2, 3, 5, 4), "z": (2, 3)}, {"x": (2, 3, 9, 7), "z": (2, 3)})


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (4, 3), (2, 3, 7), (6,)])
@pytest.mark.parametrize("weight", [0.0, 2.5])
def test_batch_norm(shape: tuple[int, ...], weight: float, agree: Agree) -> None:
    net = random_net(inputs(x=shape) + layer("BatchNorm", "batch_norm_param { eps: 0.01 }"))
    mean, variance, count = net.layer("op").params
    variance.detach().abs_()
    count.detach().fill_(weight)
    agree(net, {"x": shape}, {"x": (shape[0] + 1, *shape[1:])})


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (7, 3)])
def test_batch_norm_by_the_batch(shape: tuple[int, ...], agree: Agree) -> None:
    text = inputs(x=shape) + layer("BatchNorm", "batch_norm_param { use_global_stats: false }")
    agree(text, {"x": shape}, {"x": (shape[0] + 3, *shape[1:])})


@pytest.mark.parametrize("fields", ["", "across_channels: true", "normalize_variance: false eps: 0.1"])
@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (2, 3, 6), (2, 3)])
def test_mvn(fields: str, shape: tuple[int, ...], agree: Agree) -> None:
    agree(inputs(x=shape) + layer("MVN", f"mvn_param {{ {fields} }}"), {"x": shape})


@pytest.mark.parametrize("region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"])
@pytest.mark.parametrize("fields", ["", "local_size: 3 alpha: 2 beta: 0.5 k: 2", "local_size: 7"])
def test_lrn(region: str, fields: str, agree: Agree) -> None:
    agree(inputs(x=(2, 3, 5, 4)) + layer("LRN", f"lrn_param {{ norm_region: {region} {fields} }}"), *SHAPES)


@pytest.mark.parametrize("axis", [0, 1, 3, -1])
def test_softmax(axis: int, agree: Agree) -> None:
    agree(inputs(x=(2, 3, 5, 4)) + layer("Softmax", f"softmax_param {{ axis: {axis} }}"), *FILLED)


def test_softmax_of_large_numbers(agree: Agree) -> None:
    agree(inputs(x=(1, 3)) + layer("Softmax"), {"x": torch.tensor([[1000.0, 999.0, -1000.0]])})
