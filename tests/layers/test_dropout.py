from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.dropout import DropoutLayer

from .conftest import Replay

CASES: dict[str, dict[str, Any]] = {
    "dropout_test": {"dropout_ratio": 0.4},
    "dropout_test_scale_at_test": {"dropout_ratio": 0.4, "scale_train": False},
}


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: DropoutLayer(**CASES[name]))


@pytest.mark.parametrize(("scale_train", "kept"), [(True, 1 / 0.7), (False, 1.0)])
def test_training_drops_its_share(scale_train: bool, kept: float) -> None:
    x = torch.ones(30, 40, 50, requires_grad=True)
    (y,) = DropoutLayer(dropout_ratio=0.3, scale_train=scale_train, phase="TRAIN", generator=seeded())(x)
    assert (y == 0).double().mean().item() == pytest.approx(0.3, abs=0.01)
    torch.testing.assert_close(y[y != 0].unique(), torch.tensor([kept]))
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())


def test_the_generator_decides_what_is_dropped() -> None:
    x = torch.ones(2, 3, 4, 5)
    first, again, other = (DropoutLayer(phase="TRAIN", generator=seeded(seed))(x)[0] for seed in (3, 3, 4))
    (turned,) = DropoutLayer(phase="TRAIN", generator=seeded())(x.contiguous(memory_format=torch.channels_last))
    assert torch.equal(first, again)
    assert torch.equal(first, turned)
    assert not torch.equal(first, other)


def test_shapes_draw_nothing() -> None:
    generator = seeded()
    before = generator.get_state()
    assert DropoutLayer(phase="TRAIN", generator=generator).top_shapes((2, 3)) == ((2, 3),)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("ratio", [-0.1, 1.5])
def test_a_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(LayerError, match="dropout_ratio must be from 0 to 1"):
        DropoutLayer(dropout_ratio=ratio)
