from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import LayerError
from recaffe.layers.dummy_data import DummyDataLayer


def test_caffe_agrees(fixtures_dir: Path) -> None:
    fillers = (Filler(value=0.5), Filler(value=-2), Filler(value=7))
    layer = DummyDataLayer(shape=((2, 3), (1, 2, 3, 4), (5,)), data_filler=fillers)
    layer.setup(num_tops=3)
    with np.load(fixtures_dir / "layers" / "dummy_data.npz") as golden:
        for name, top in zip("abc", layer(), strict=True):
            np.testing.assert_array_equal(top, golden[f"top/{name}"])


def test_older_dims_make_shapes() -> None:
    layer = DummyDataLayer(num=(2, 1), channels=(3,), height=(2, 4), width=(5,), data_filler=(Filler(value=3),))
    layer.setup(num_tops=2)
    assert layer.top_shapes() == ((2, 3, 2, 5), (1, 3, 4, 5))
    assert layer()[1].unique().tolist() == [3]


def test_random_tops_are_drawn_anew_and_follow_the_generator() -> None:
    def make() -> DummyDataLayer:
        layer = DummyDataLayer(
            shape=((2, 3),), data_filler=(Filler("gaussian"),), generator=torch.Generator().manual_seed(3)
        )
        layer.setup()
        return layer

    one, two = make(), make()
    (first,), (second,) = one(), one()
    assert not torch.equal(first, second)
    assert torch.equal(two()[0], first)


def test_tops_follow_the_module() -> None:
    layer = DummyDataLayer(shape=((2, 3),)).double().to("meta")
    layer.setup()
    assert layer()[0].dtype is torch.float64
    assert layer()[0].is_meta
    assert layer.state_dict() == {}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, r"shape is given 0 time\(s\) for 3 top\(s\)"),
        ({"shape": ((1, 2), (3, 4))}, "shape is given 2 time"),
        ({"shape": ((1, 2),), "num": (2,)}, "either shape or the older"),
        ({"num": (2,), "channels": (3,), "height": (4,)}, "width is given 0 time"),
        ({"shape": ((1, 2),), "data_filler": (Filler(), Filler())}, "data_filler is given 2 time"),
        ({"shape": ((1, 2),), "data_filler": (Filler("normal"),)}, "top 0: unknown filler 'normal'"),
    ],
)
def test_what_does_not_suit_the_tops_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        DummyDataLayer(**keywords).setup(num_tops=3)
