from functools import partial

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.spp import SPPLayer

from .conftest import CheckGradients, Replay


@pytest.mark.parametrize(("name", "pool"), [("spp", "MAX"), ("spp_ave", "AVE")])
def test_caffe_agrees(replay: Replay, name: str, pool: str) -> None:
    replay(name, partial(SPPLayer, pyramid_height=3, pool=pool))


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
def test_gradients(check_gradients: CheckGradients, pool: str) -> None:
    check_gradients(SPPLayer(pyramid_height=2, pool=pool), (2, 3, 5, 6))


def test_levels_follow_one_another() -> None:
    x = torch.randn(2, 3, 8, 12)
    (y,) = SPPLayer(pyramid_height=3)(x)
    expected = [x.unflatten(3, (b, -1)).unflatten(2, (b, -1)).amax((3, 5)).flatten(1) for b in (1, 2, 4)]
    assert torch.equal(y, torch.cat(expected, 1))


def test_a_size_that_does_not_divide_is_padded() -> None:
    # Height 5 in 2 bins: windows of 3 rows, padded by 1 on either side, so rows 0-1 and 2-4.
    x = torch.arange(5.0).view(1, 1, 5, 1).expand(1, 1, 5, 4)
    (y,) = SPPLayer(pyramid_height=2)(x)
    assert y.tolist() == [[4, 1, 1, 4, 4]]


def test_one_level_is_not_flattened() -> None:
    assert SPPLayer(pyramid_height=1, pool="AVE").top_shapes((2, 3, 5, 7)) == ((2, 3, 1, 1),)
    assert SPPLayer(pyramid_height=2, pool="AVE").top_shapes((2, 3, 5, 7)) == ((2, 15),)


def test_stochastic_draws_one_of_each_window() -> None:
    x = torch.rand(2, 3, 4, 8)
    layer = SPPLayer(pyramid_height=2, pool="STOCHASTIC", generator=torch.Generator().manual_seed(5))
    first, second = layer(x)[0], layer(x)[0]
    windows = x.unflatten(3, (2, -1)).unflatten(2, (2, -1)).transpose(3, 4).flatten(4).flatten(1, 3)
    assert (first[:, 3:, None] == windows).any(2).all()
    assert not torch.equal(first, second)


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(LayerError, match="needs pyramid_height of at least 1"):
        SPPLayer()
    with pytest.raises(LayerError, match="takes a bottom of 4 axes"):
        SPPLayer(pyramid_height=2).top_shapes((2, 3, 5))
    with pytest.raises(LayerError, match="cannot pool a plane of 3×7 to 4×4 bins: pad 1×1 must be smaller"):
        SPPLayer(pyramid_height=3).top_shapes((2, 5, 3, 7))
