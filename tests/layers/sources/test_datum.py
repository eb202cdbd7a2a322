from typing import Any

import cv2
import numpy as np
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.sources.datum import Datum

FLOATS = np.arange(30, dtype=np.float32) - 7.5


def test_bytes_are_unsigned() -> None:
    image = Datum(2, 1, 3, bytes([0, 1, 127, 128, 254, 255])).image()
    assert image.tolist() == [[[0, 1, 127]], [[128, 254, 255]]]


def test_floats_count_where_there_are_no_bytes() -> None:
    np.testing.assert_array_equal(Datum(2, 3, 5, float_data=FLOATS).image(), FLOATS.reshape(2, 3, 5))
    assert Datum(1, 1, 2, b"ab", float_data=FLOATS).image().tolist() == [[[97, 98]]]


def test_an_encoded_image_has_its_own_shape() -> None:
    data = cv2.imencode(".png", np.full((4, 5), 9, np.uint8))[1].tobytes()
    datum = Datum(3, 1, 1, data, encoded=True)
    assert datum.image().shape == (1, 4, 5)
    assert datum.image(True).shape == (3, 4, 5)
    assert datum.image(False).shape == (1, 4, 5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": b"abcde"}, "holds 5 values where its shape is 2×1×3"),
        ({"float_data": FLOATS}, "holds 30 values where its shape is 2×1×3"),
        ({}, "holds 0 values where its shape is 2×1×3"),
        ({"channels": 0}, "holds 0 values where its shape is 0×1×3"),
        ({"channels": -2, "width": -3, "data": b"abcdef"}, "holds 6 values where its shape is -2×1×-3"),
    ],
)
def test_values_and_shape_must_suit(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        Datum(**{"channels": 2, "height": 1, "width": 3, **fields}).image()
