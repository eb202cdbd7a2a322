from typing import Any

import pytest
import torch

from recaffe.layers.batch_norm import BatchNormLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "bn_2d": {"phase": "TRAIN"},
    "bn_train_eps": {"phase": "TRAIN", "eps": 0.01, "moving_average_fraction": 0.9},
    "bn_test_global": {"use_global_stats": True},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: BatchNormLayer(**CASES[name]))


def test_the_phase_chooses_unless_the_prototxt_does() -> None:
    assert BatchNormLayer(phase="TEST").use_global_stats
    assert not BatchNormLayer(phase="TRAIN").use_global_stats
    assert not BatchNormLayer(phase="TEST", use_global_stats=False).use_global_stats


def test_gradients_in_training(check_gradients: CheckGradients) -> None:
    check_gradients(BatchNormLayer(phase="TRAIN", eps=0.1), (2, 3, 5))


def test_one_number_a_channel_is_its_own_mean() -> None:
    layer = BatchNormLayer(phase="TRAIN")
    layer.setup((1, 3))
    (y,) = layer(torch.tensor([[1.0, -2.0, 5.0]]))
    assert y.tolist() == [[0, 0, 0]]
    assert [param.tolist() for param in layer.params] == [[1, -2, 5], [0, 0, 0], [1]]


def test_a_bottom_of_one_axis_is_one_channel() -> None:
    layer = BatchNormLayer(phase="TRAIN", eps=0)
    layer.setup((4,))
    (y,) = layer(torch.tensor([1.0, 3.0, 1.0, 3.0]))
    assert y.tolist() == [-1, 1, -1, 1]


def test_shapes_alone_change_no_statistics() -> None:
    layer = BatchNormLayer(phase="TRAIN")
    layer.setup((2, 3, 5))
    assert layer.top_shapes((2, 3, 5)) == ((2, 3, 5),)
    assert layer.params[2].item() == 0


def test_without_statistics_nothing_is_subtracted() -> None:
    layer = BatchNormLayer(eps=0.25)
    layer.setup((2, 3))
    assert layer(torch.ones(2, 3))[0].unique().tolist() == [2]


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_an_eps_below_zero_gives_the_roots_of_what_it_leaves(phase: str) -> None:
    layer = BatchNormLayer(phase=phase, eps=-0.25)
    layer.setup((2, 2))
    for param, value in zip(layer.params, ((1.0, 1.0), (0.0, 4.0), (1.0,)), strict=True):
        param.data.copy_(torch.tensor(value))
    (y,) = layer(torch.tensor([[1.0, -1.0], [1.0, 3.0]]))
    assert y[:, 0].isnan().all()
    torch.testing.assert_close(y[:, 1], torch.tensor([-2.0, 2.0]) / 3.75**0.5)
