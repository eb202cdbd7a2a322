from __future__ import annotations

import numpy as np
import pytest

from recaffe.tools.datasets.images.pixels import centred, resized, scale_to, to_blob

MEANS = (102.9801, 115.9465, 122.7717)


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((375, 500), 1.6),
        ((500, 375), 1.6),
        ((333, 500), 600 / 333),
        ((300, 500), 2.0),
        ((299, 500), 2.0),
        ((60, 900), 10 / 9),
    ],
)
def test_the_short_side_becomes_600_unless_the_long_one_passed_1000(size: tuple[int, int], scale: float) -> None:
    assert scale_to(*size, 600, 1000) == scale


def test_means_are_of_blue_green_red_and_flips_are_sideways() -> None:
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    want = (pixels[:, ::-1] - np.array(MEANS)).astype(np.float32)
    assert np.array_equal(centred(pixels, MEANS, flipped=True), want)


def test_smaller_images_get_zeros_to_the_right_and_below() -> None:
    images = [resized(np.ones((4, 6, 3), np.float32), 1.5), np.full((8, 5, 3), 2, np.float32)]
    blob = to_blob(images)
    assert blob.shape == (2, 3, 8, 9)
    assert blob[0, :, :6].min() == 1
    assert not blob[0, :, 6:].any()
    assert blob[1, :, :, :5].min() == 2
    assert not blob[1, :, :, 5:].any()
