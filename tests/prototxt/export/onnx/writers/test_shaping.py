"""Layers that move numbers and their axes give the same in ONNX."""

from __future__ import annotations

import pytest
import torch

from ..conftest import Agree, inputs, layer

SHAPES = ({"x": (2, 6, 5, 4)}, {"x": (1, 6, 7, 3)})
EMPTY = {"x": (0, 6, 5, 4)}


@pytest.mark.parametrize("fields", ["", "axis: 2", "axis: 0 end_axis: 1", "axis: 1 end_axis: 2", "axis: 3"])
def test_flatten(fields: str, agree: Agree) -> None:
    agree(inputs(x=(2, 6, 5, 4)) + layer("Flatten", f"flatten_param {{ {fields} }}"), *SHAPES, EMPTY)


@pytest.mark.parametrize(
    "fields",
    [
        "shape { dim: 0 dim: -1 }",
        "shape { dim: 0 dim: 2 dim: -1 dim: 0 }",
        "shape { dim: -1 } axis: 1 num_axes: 2",
        "shape { dim: 2 dim: 3 } axis: 1 num_axes: 1",
        "shape { dim: 3 dim: -1 dim: 0 } axis: 1 num_axes: 3",
        "shape { dim: 1 } axis: -1",
        "shape { dim: 1 } axis: 0 num_axes: 0",
        "shape { dim: 2 dim: 0 dim: -1 } axis: 1 num_axes: 2",
    ],
)
def test_reshape(fields: str, agree: Agree) -> None:
    agree(inputs(x=(2, 6, 5, 4)) + layer("Reshape", f"reshape_param {{ {fields} }}"), *SHAPES)


def test_reshape_of_no_items(agree: Agree) -> None:
    text = inputs(x=(2, 6, 5, 4)) + layer("Reshape", "reshape_param { shape { dim: 120 } axis: 1 }")
    agree(text, {"x": (2, 6, 5, 4)}, {"x": (0, 6, 5, 4)})


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concat_and_tile(axis: int, agree: Agree) -> None:
    text = inputs(x=(2, 6, 5, 4)) + layer("Tile", f"tile_param {{ axis: {axis} tiles: 3 }}", tops="t", name="tile")
    agree(text + layer("Concat", f"concat_param {{ axis: {axis} }}", "x t x"), *SHAPES, EMPTY)


@pytest.mark.parametrize(
    "fields", ["axis: 1", "axis: 1 slice_point: 1 slice_point: 5", "slice_dim: 2 slice_point: 2 slice_point: 3"]
)
def test_slice(fields: str, agree: Agree) -> None:
    agree(inputs(x=(2, 6, 5, 4)) + layer("Slice", f"slice_param {{ {fields} }}", tops="a b c"), *SHAPES, EMPTY)


def test_one_slice(agree: Agree) -> None:
    agree(inputs(x=(2, 6, 5, 4)) + layer("Slice"), *SHAPES)


@pytest.mark.parametrize("fields", ["offset: 1", "axis: 3 offset: 1", "axis: 1 offset: 2 offset: 0 offset: 1", ""])
def test_crop(fields: str, agree: Agree) -> None:
    text = inputs(x=(2, 6, 5, 4), r=(2, 4, 3, 2)) + layer("Crop", f"crop_param {{ {fields} }}", "x r")
    agree(text, {"x": (2, 6, 5, 4), "r": (2, 4, 3, 2)}, {"x": (2, 6, 9, 7), "r": (2, 4, 5, 3)})


def test_batch_reindex(agree: Agree) -> None:
    text = inputs(x=(3, 2), i=(4,)) + layer("BatchReindex", "", "x i")
    items = torch.tensor([2.0, 0.9, 0.0, 1.0])
    agree(text, {"x": (3, 2), "i": items}, {"x": (5, 2), "i": items[:1]}, {"x": (3, 2), "i": items[:0]})


@pytest.mark.parametrize("operation", ["SUM", "ASUM", "SUMSQ", "MEAN"])
@pytest.mark.parametrize("fields", ["", "axis: 1 coeff: -0.5", "axis: 3 coeff: 2"])
def test_reduction(operation: str, fields: str, agree: Agree) -> None:
    agree(
        inputs(x=(2, 6, 5, 4)) + layer("Reduction", f"reduction_param {{ operation: {operation} {fields} }}"), *SHAPES
    )


@pytest.mark.parametrize(
    "fields", ["axis: 1", "axis: 2 top_k: 3", "axis: 1 out_max_val: true top_k: 2", "", "top_k: 4"]
)
@pytest.mark.parametrize("out_max_val", ["false", "true"])
def test_argmax(fields: str, out_max_val: str, agree: Agree) -> None:
    if "out_max_val" not in fields:
        fields += f" out_max_val: {out_max_val}"
    text = inputs(x=(2, 6, 5, 4)) + layer("ArgMax", f"argmax_param {{ {fields} }}")
    ties = torch.randint(0, 3, (2, 6, 5, 4), generator=torch.Generator().manual_seed(2)).float()
    agree(text, *SHAPES, {"x": ties}, {"x": torch.zeros(1, 6, 5, 4)})


@pytest.mark.parametrize("shape", [(3,), (3, 4)])
def test_argmax_of_few_axes(shape: tuple[int, ...], agree: Agree) -> None:
    agree(inputs(x=shape) + layer("ArgMax"), {"x": shape})


def test_split_copies_are_no_values(agree: Agree) -> None:
    text = inputs(x=(2, 3)) + layer("TanH") + layer("AbsVal", "", "y", "a", "abs") + layer("Exp", "", "y", "e", "exp")
    graph = agree(text + layer("Silence", "", "a", "", "quiet"), {"x": (2, 3)}).graph
    assert [(node.op_type, list(node.input)) for node in graph.node] == [
        ("Tanh", ["x"]),
        ("Abs", ["y"]),
        ("Exp", ["y"]),
    ]


def test_a_copy_that_is_an_output_is_a_value(agree: Agree) -> None:
    text = inputs(x=(2, 3)) + layer("TanH") + layer("Split", "", "y", "a b", "both")
    assert [info.name for info in agree(text, {"x": (2, 3)}).graph.output] == ["a", "b"]


def test_parameter(agree: Agree) -> None:
    text = inputs(x=(2, 3)) + layer("Parameter", "parameter_param { shape { dim: 2 dim: 3 } }", "", "p", "free")
    graph = agree(text + layer("Eltwise", "", "x p"), {"x": (2, 3)}).graph
    assert [array.name for array in graph.initializer] == ["free/0"]
