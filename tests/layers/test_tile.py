import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.tile import TileLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, int]] = {"tile": {"tiles": 3}, "tile_last": {"axis": -1, "tiles": 2}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: TileLayer(**CASES[name]))


@pytest.mark.parametrize("axis", [0, -1])
def test_gradients(check_gradients: CheckGradients, axis: int) -> None:
    check_gradients(TileLayer(axis=axis, tiles=4), (2, 3, 5))


def test_tiles_lie_one_behind_the_other() -> None:
    (top,) = TileLayer(axis=0, tiles=2)(torch.tensor([1.0, 2.0, 3.0]))
    assert top.tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("tiles", [None, 0, -2])
def test_tiles_must_be_given(tiles: int | None) -> None:
    with pytest.raises(LayerError, match="needs tiles of at least 1"):
        TileLayer(tiles=tiles)


def test_the_axis_must_be_there() -> None:
    with pytest.raises(LayerError, match="axis 2 is out of range for a bottom of 2 axes"):
        TileLayer(axis=2, tiles=2).top_shapes((2, 3))
