import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.input import InputLayer


def test_shapes_suit_the_tops() -> None:
    layer = InputLayer(shape=((1, 3, 6, 7), (1, 3)))
    layer.setup(num_tops=2)
    assert layer.top_shapes() == ((1, 3, 6, 7), (1, 3))


def test_one_shape_serves_all_tops_and_none_has_no_axes() -> None:
    one, none = InputLayer(shape=((2, 3),)), InputLayer()
    one.setup(num_tops=2)
    none.setup()
    assert one.top_shapes() == ((2, 3), (2, 3))
    assert none.top_shapes() == ((),)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LayerError, match="has 3 shapes for 2 tops"):
        InputLayer(shape=((1,), (2,), (3,))).setup(num_tops=2)
    with pytest.raises(LayerError, match=r"takes 0 bottom blob\(s\), got 1"):
        InputLayer().setup((2, 3))
    with pytest.raises(LayerError, match="hand its blobs in"):
        InputLayer()()
