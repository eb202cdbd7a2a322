from typing import Any

import numpy as np
import pytest

from recaffe.layers.base.draws import Draws
from recaffe.layers.base.layer import LayerError, Shape
from recaffe.layers.memory_data import MemoryDataLayer
from recaffe.layers.sources.transformation import Transformation

ROWS = np.arange(6 * 3 * 4 * 5).reshape(6, 3, 4, 5)


def make(**fields: Any) -> MemoryDataLayer:
    layer = MemoryDataLayer(**{"batch_size": 2, "channels": 3, "height": 4, "width": 5, **fields})
    layer.setup(num_tops=2)
    return layer


def test_batches_in_turn() -> None:
    layer = make(transform_param=Transformation(scale=9))
    assert layer.top_shapes() == ((2, 3, 4, 5), (2,))
    layer.set_input_arrays(ROWS, range(6))
    for start in (0, 2, 4, 0):
        data, labels = layer()
        np.testing.assert_array_equal(data, ROWS[start : start + 2])
        assert labels.shape == (2, 1, 1, 1)
        assert labels.flatten().tolist() == [start, start + 1]


def test_new_arrays_begin_anew() -> None:
    layer = make()
    layer.set_input_arrays(ROWS, range(6))
    layer()
    layer.set_input_arrays(-ROWS[:2], [[7], [8]])
    assert layer()[1].flatten().tolist() == [7, 8]


def test_a_number_is_drawn_as_in_caffe() -> None:
    seeds, fresh = Draws(5), Draws(5)
    make(seeds=seeds, transform_param=Transformation(mirror=True))
    fresh.number()
    assert seeds.number() == fresh.number()


@pytest.mark.parametrize(
    ("shape", "labels", "message"),
    [
        ((6, 3, 5, 4), 6, "takes rows of 3×4×5, got data of 6×3×5×4"),
        ((5, 3, 4, 5), 5, "takes a multiple of its batch_size 2 as rows, got 5"),
        ((0, 3, 4, 5), 0, "takes a multiple of its batch_size 2 as rows, got 0"),
        ((4, 3, 4, 5), 2, "takes a label for each of 4 rows, got 2"),
    ],
)
def test_arrays_that_do_not_suit(shape: Shape, labels: int, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        make().set_input_arrays(np.zeros(shape), np.zeros(labels))


def test_without_data_or_size() -> None:
    with pytest.raises(LayerError, match=r"has no data: hand them to this layer's set_input_arrays\(data, labels\)"):
        make()()
    with pytest.raises(LayerError, match="needs channels, height and width of at least 1"):
        make(width=None)
