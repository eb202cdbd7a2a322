from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
import torch

from recaffe.layers.base.draws import Draws
from recaffe.layers.base.layer import LayerError
from recaffe.layers.sources.source_layer import Item, StreamLayer
from recaffe.layers.sources.transformation import Transformation


class Counting(StreamLayer):
    """Images of 1, 2, 3, all of the sizes given in turn."""

    sizes: tuple[tuple[int, int, int], ...] = ((3, 4, 5),)

    def _open(self) -> Iterator[Any]:
        self.own = self.seeds.number()
        return cycle((1, 2, 3))

    def _load(self, source: Any) -> Item:
        return Item(np.full(self.sizes[source % len(self.sizes)], source, np.uint8), 10 * source, f"item {source}")


def make(batch_size: int = 2, rule: Transformation | None = None, phase: str = "TEST", seed: int = 3) -> Counting:
    return Counting(batch_size, rule, phase, Draws(seed))


def test_batches_go_on_where_the_last_one_ended() -> None:
    layer = make()
    layer.setup(num_tops=2)
    assert layer.top_shapes() == ((2, 3, 4, 5), (2,))
    for want in ([1, 2], [3, 1], [2, 3]):
        data, labels = layer()
        assert data.shape == (2, 3, 4, 5)
        assert data[:, 2, 3, 4].tolist() == want
        assert labels.tolist() == [10 * value for value in want]


def test_labels_only_if_asked_for() -> None:
    layer = make()
    layer.setup(num_tops=1)
    assert layer.top_shapes() == ((2, 3, 4, 5),)
    assert len(layer()) == 1


def test_numbers_are_drawn_in_caffes_order() -> None:
    """For the transformer, for the layer, for the transformer again, for the reading thread."""
    numbers = Draws(3)
    want = [numbers.number() for _ in range(5)]
    layer = make(rule=Transformation(mirror=True))
    layer.setup()
    assert layer.own == want[1]
    assert layer.transformer.draws is not None
    assert layer.transformer.draws.number() == Draws(want[2]).number()
    assert layer.seeds.number() == want[4]
    without = make()
    without.setup()
    assert (without.own, without.seeds.number()) == (want[0], want[2])


def test_tops_have_channels_innermost_and_follow_the_module() -> None:
    layer = make()
    layer.setup(num_tops=2)
    assert layer()[0].is_contiguous(memory_format=torch.channels_last)
    layer.double()
    assert [top.dtype for top in layer()] == [torch.float64, torch.float64]
    assert layer.state_dict() == {}


def test_a_batch_is_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "sizes", ((3, 4, 5), (3, 6, 7)))
    one, two, cropped = make(1), make(2), make(2, Transformation(crop_size=3))
    for layer in (one, two, cropped):
        layer.setup(num_tops=2)
    assert [tuple(one()[0].shape) for _ in range(3)] == [(1, 3, 6, 7), (1, 3, 4, 5), (1, 3, 6, 7)]
    assert cropped()[0].shape == (2, 3, 3, 3)
    with pytest.raises(LayerError, match="item 2 is 3×4×5 where its batch began with 3×6×7: give a batch_size of 1"):
        two()


def test_the_item_that_does_not_fit_is_named() -> None:
    with pytest.raises(LayerError, match=r"^item 1: crop_size 6 is larger than the image, 4×5$"):
        make(rule=Transformation(crop_size=6)).setup()


def test_a_batch_has_a_size() -> None:
    with pytest.raises(LayerError, match="needs a batch_size of at least 1"):
        make(0)
