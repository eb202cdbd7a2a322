"""Convolution, Deconvolution, InnerProduct and Embed give the same in ONNX."""

from __future__ import annotations

import pytest
import torch

from ..conftest import Agree, inputs, layer

IMAGES = ({"x": (2, 6, 11, 9)}, {"x": (1, 6, 8, 13)}, {"x": (0, 6, 8, 13)})


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
@pytest.mark.parametrize(
    "fields",
    [
        "kernel_size: 3 pad: 1",
        "kernel_size: 3 stride: 2 group: 2",
        "kernel_h: 2 kernel_w: 5 pad_h: 0 pad_w: 2 stride_h: 2 stride_w: 1",
        "kernel_size: 3 dilation: 2 pad: 2 bias_term: false",
        "kernel_size: 1 group: 6",
    ],
)
def test_images(kind: str, fields: str, agree: Agree) -> None:
    agree(inputs(x=(2, 6, 11, 9)) + layer(kind, f"convolution_param {{ num_output: 12 {fields} }}"), *IMAGES)


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ((3, 4), "kernel_size: 1"),
        ((3, 4, 9), "kernel_size: 3 stride: 2"),
        ((2, 3, 6, 5, 7), "kernel_size: 3 pad: 1"),
        ((2, 3, 4, 6, 7), "axis: 2 kernel_size: 2"),
        ((4, 6, 7), "axis: 0 kernel_size: 3"),
        ((2, 3, 4), "axis: -1 kernel_size: 1"),
    ],
)
def test_any_axes(kind: str, shape: tuple[int, ...], fields: str, agree: Agree) -> None:
    agree(inputs(x=shape) + layer(kind, f"convolution_param {{ num_output: 5 {fields} }}"), {"x": shape})


def test_several_bottoms_share_params(agree: Agree) -> None:
    fields = "convolution_param { num_output: 2 kernel_size: 3 }"
    model = agree(
        inputs(x=(1, 3, 5, 6), z=(1, 3, 5, 6)) + layer("Convolution", fields, "x z", "y w"),
        {"x": (1, 3, 5, 6), "z": (1, 3, 5, 6)},
        {"x": (2, 3, 8, 4), "z": (2, 3, 8, 4)},
    )
    assert [array.name for array in model.graph.initializer] == ["op/0", "op/1"]


@pytest.mark.parametrize(
    "fields", ["", "axis: 0", "axis: 2", "axis: -1", "transpose: true", "bias_term: false axis: 2"]
)
def test_inner_product(fields: str, agree: Agree) -> None:
    agree(
        inputs(x=(2, 3, 4)) + layer("InnerProduct", f"inner_product_param {{ num_output: 5 {fields} }}"),
        {"x": (2, 3, 4)},
    )


def test_inner_product_of_any_number_of_items(agree: Agree) -> None:
    text = inputs(x=(2, 3, 4, 5)) + layer("InnerProduct", "inner_product_param { num_output: 7 }")
    text += layer("InnerProduct", "inner_product_param { num_output: 6 }", "y", "z", "next")
    model = agree(text, {"x": (2, 3, 4, 5)}, {"x": (7, 3, 4, 5)}, {"x": (0, 3, 4, 5)})
    assert [node.op_type for node in model.graph.node] == ["Flatten", "Gemm", "Gemm"]


@pytest.mark.parametrize("bias", ["true", "false"])
def test_embed(bias: str, agree: Agree) -> None:
    fields = f"embed_param {{ input_dim: 6 num_output: 4 bias_term: {bias} }}"
    words = torch.tensor([[0.0, 5.0, 2.9], [1.0, 3.0, 3.0]])
    agree(inputs(x=(2, 3)) + layer("Embed", fields), {"x": words}, {"x": words[:1]})
