"""What a net is fed for a picture."""

from __future__ import annotations

import numpy as np
import pytest

from recaffe.prototxt.text.config import Config
from recaffe.tools.detection.net_input import NetInput, fed, pyramid

CONFIG = Config.default().with_flat({"TEST.SCALES": [20, 30], "TEST.MAX_SIZE": 50, "PIXEL_MEANS": [1.0, 2.0, 3.0]})
PIXELS = np.full((10, 20, 3), 7, np.uint8)


def test_a_pyramid_is_padded_with_zeros() -> None:
    data, scales = pyramid(PIXELS, CONFIG)
    assert scales == (2.0, 2.5)  # 3 would make the long side 60
    assert data.shape == (2, 3, 25, 50)
    assert data[0, :, :20, :40].reshape(3, -1).mean(axis=1).tolist() == [6, 5, 4]
    assert not data[0, :, 20:].any()
    assert not data[0, :, :, 40:].any()


def test_im_info_is_of_the_data() -> None:
    config = CONFIG.with_flat({"TEST.SCALES": [20]})
    one = NetInput.of(PIXELS, config)
    assert one.im_info.tolist() == [[20, 40, 2]]
    assert set(fed([one])) == {"data", "im_info"}
    assert (one.height, one.width) == (10, 20)


def test_rois_of_a_batch_follow_their_items() -> None:
    boxes = np.array([[0, 0, 4, 4], [0, 0, 9, 19]], np.float32)
    one = NetInput.of(PIXELS, CONFIG, boxes)
    assert one.regions is not None
    assert one.boxes is not None
    blobs = fed([one, one, one])
    assert blobs["data"].shape == (6, 3, 25, 50)
    own = one.regions.rois[:, 0]
    assert blobs["rois"][:, 0].tolist() == [*own, *(own + 2), *(own + 4)]
    assert one.boxes[one.regions.back].tolist() == boxes.tolist()


def test_the_net_sees_no_fraction_of_a_pixel_less() -> None:
    _, (scale,) = pyramid(np.zeros((97, 61, 3), np.uint8), CONFIG.with_flat({"TEST.SCALES": [33], "TEST.MAX_SIZE": 99}))
    assert scale == pytest.approx(33 / 61, abs=0)
