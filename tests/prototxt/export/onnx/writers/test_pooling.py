"""Pooling and SPP give the same in ONNX, whatever the size of the plane."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from recaffe.prototxt.export.refusals import ExportError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

from ..conftest import Agree, inputs, layer, model_of, random_net

SIZES = [(4, 9), (9, 5), (5, 6), (6, 13), (13, 7), (7, 8), (8, 4)]
FEEDS = [{"x": (2, 3, *size)} for size in SIZES]
FC = "inner_product_param { num_output: 2 }"
GEOMETRIES = [
    "kernel_size: 1",
    "kernel_size: 1 stride: 2",
    "kernel_size: 1 stride: 3",
    "kernel_size: 2 stride: 2",
    "kernel_size: 2 stride: 2 pad: 1",
    "kernel_size: 2 stride: 4",
    "kernel_size: 3 pad: 1",
    "kernel_size: 3 stride: 2",
    "kernel_size: 3 stride: 2 pad: 1",
    "kernel_size: 3 stride: 2 pad: 2",
    "kernel_size: 4 stride: 3 pad: 2",
    "kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 3 pad_h: 0 pad_w: 1",
]


def pooling(fields: str, tops: str = "y") -> str:
    return inputs(x=(2, 3, 7, 8)) + layer("Pooling", f"pooling_param {{ {fields} }}", tops=tops)


def positive(sizes: Sequence[tuple[int, int]]) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [{"x": torch.rand(2, 3, *size, generator=generator)} for size in sizes]


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_every_size(pool: str, geometry: str, agree: Agree) -> None:
    agree(pooling(f"pool: {pool} {geometry}"), *FEEDS)


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("geometry", GEOMETRIES[2::3])
def test_rounding_down(pool: str, geometry: str, agree: Agree) -> None:
    agree(pooling(f"pool: {pool} {geometry} round_mode: FLOOR"), *FEEDS)


@pytest.mark.parametrize("fields", ["pool: MAX", "pool: STOCHASTIC"])
def test_a_plane_whose_size_is_known(fields: str, agree: Agree) -> None:
    """There onnxruntime may join the margin with the operator behind it."""
    for geometry in ("kernel_size: 1 stride: 2", "kernel_size: 1 stride: 3", "kernel_size: 2 stride: 4"):
        text = pooling(f"{fields} {geometry}") + layer("InnerProduct", FC, "y", "z", "fc")
        model = agree(text, {"x": (2, 3, 7, 8)}, {"x": (5, 3, 7, 8)})
        assert [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim] == [0, 3, 7, 8]


@pytest.mark.parametrize("geometry", [geometry for geometry in GEOMETRIES if "pad" not in geometry])
def test_stochastic(geometry: str, agree: Agree) -> None:
    agree(pooling(f"pool: STOCHASTIC {geometry}"), *positive(SIZES), {"x": torch.zeros(1, 3, 5, 6)})


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_mask(geometry: str, agree: Agree) -> None:
    ties = torch.randint(0, 3, (2, 3, 7, 8), generator=torch.Generator().manual_seed(2)).float()
    agree(pooling(geometry, "y mask"), *FEEDS, {"x": ties}, {"x": torch.zeros(1, 3, 5, 6)})


@pytest.mark.parametrize(("pool", "tops"), [("MAX", "y"), ("MAX", "y mask"), ("AVE", "y"), ("STOCHASTIC", "y")])
def test_the_whole_plane(pool: str, tops: str, agree: Agree) -> None:
    agree(pooling(f"pool: {pool} global_pooling: true", tops), *positive(SIZES[:3]))


def test_no_items(agree: Agree) -> None:
    for geometry in ("pool: MAX kernel_size: 3 stride: 2", "pool: AVE kernel_size: 2 stride: 2 pad: 1"):
        agree(pooling(geometry), {"x": (0, 3, 7, 8)})


def test_plain_poolings_stay_one_node() -> None:
    for geometry in ("pool: MAX kernel_size: 2 stride: 2", "pool: MAX kernel_size: 3 stride: 2 pad: 1"):
        (node,) = model_of(random_net(pooling(geometry))).graph.node
        assert node.op_type == "MaxPool"


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("height", [1, 2, 3])
def test_pyramids(pool: str, height: int, agree: Agree) -> None:
    text = inputs(x=(2, 3, 8, 7)) + layer("SPP", f"spp_param {{ pool: {pool} pyramid_height: {height} }}")
    agree(text, *({"x": (2, 3, *size)} for size in ((8, 7), (7, 8), (11, 16), (13, 12), (24, 23))))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }"),
        ("SPP", "spp_param { pool: STOCHASTIC pyramid_height: 2 }"),
    ],
)
def test_draws_are_refused(kind: str, fields: str) -> None:
    net = Net(read_net(inputs(x=(2, 3, 8, 8)) + layer(kind, fields)), "TRAIN")
    with pytest.raises(
        ExportError, match=rf"^<text>:2: layer 'op' \({kind}\): cannot be written as ONNX: it draws at random "
    ):
        model_of(net)
