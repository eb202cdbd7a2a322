"""What goes wrong in a layer is told in one line, with its name and place."""

from __future__ import annotations

import re

import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.net.step import NetError


def one_layer(kind: str, fields: str, shape: str = "dim: 2 dim: 65536") -> str:
    fed = f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {shape} }} }} }}\n'
    return f'{fed}layer {{ name: "a" type: "{kind}" bottom: "x" top: "y" {fields} }}'


PLANE = "dim: 1 dim: 2 dim: 5 dim: 7"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            one_layer("InnerProduct", "inner_product_param { num_output: 4294967295 }"),
            "layer 'a' (InnerProduct): out of memory for param 0 of 4294967295×65536, 1,125,899,906,580,480 bytes",
        ),
        (
            one_layer("Convolution", "convolution_param { num_output: 4294967295 kernel_size: 256 pad: 256 }", PLANE),
            "layer 'a' (Convolution): out of memory for param 0 of 4294967295×2×256×256, 2,251,799,813,160,960 bytes",
        ),
        (
            one_layer("Convolution", "convolution_param { num_output: 3 kernel_size: 2 pad: 2147483648 }", PLANE),
            "layer 'a' (Convolution): needs a blob of 1×3×4294967300×4294967302, which no memory holds",
        ),
        (
            one_layer("Pooling", "pooling_param { kernel_size: 4 stride: 4294967295 }", PLANE),
            "layer 'a' (Pooling): needs a blob of 1×2×4294967299×4294967299, which no memory holds",
        ),
        (
            one_layer("Embed", "embed_param { input_dim: 4294967295 num_output: 4294967295 }"),
            "layer 'a' (Embed): param 0: no memory holds its shape, 4294967295×4294967295",
        ),
        (
            one_layer("ReLU", "", "dim: 9223372036854775807 dim: 3"),
            "layer 'x' (Input): top 'x' would be 9223372036854775807×3, which no memory holds",
        ),
    ],
)
def test_what_no_memory_holds_is_told_by_layer_and_shape(text: str, told: str) -> None:
    with pytest.raises(NetError, match=f"^<text>:[12]: {re.escape(told)}$"):
        Net.from_prototxt(text)


def test_a_forward_without_memory_is_told_by_layer() -> None:
    net = Net.from_prototxt(one_layer("Tile", "tile_param { tiles: 2147483647 }"))
    told = "layer 'a' (Tile): out of memory: needs 1,125,899,906,318,336 bytes more"
    with pytest.raises(NetError, match=re.escape(told)):
        net(x=torch.zeros(2, 65536))
