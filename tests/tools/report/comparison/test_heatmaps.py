"""Maps: the plane that is shown, one wrong value stays in sight, NaN and the scale of colours."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import numpy.typing as npt

from recaffe.tools.report.comparison.heatmaps import heatmaps
from recaffe.tools.report.html.palette import DIVERGING, SEQUENTIAL, picture


def decoded(address: str) -> npt.NDArray[np.uint8]:
    """A picture as red, green and blue."""
    content = base64.b64decode(address.partition(",")[2])
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(image, np.uint8)


def pictures(html: str) -> list[npt.NDArray[np.uint8]]:
    return [decoded(address) for address in re.findall(r'src="(data:[^"]+)"', html)]


def test_colours_by_value() -> None:
    image = decoded(picture(np.array([[0.0, 1.0, np.nan]]), 0, 1, SEQUENTIAL))
    assert image.tolist() == [[SEQUENTIAL[0].tolist(), SEQUENTIAL[63].tolist(), [255, 0, 200]]]
    assert decoded(picture(np.array([[-1.0, 0.01, 9]]), -1, 1, DIVERGING))[0, 2].tolist() == DIVERGING[63].tolist()


def test_the_map_with_the_largest_difference() -> None:
    want = np.zeros((2, 3, 5, 7), np.float32)
    want[1, 2] = np.arange(35).reshape(5, 7)
    have = want.copy()
    have[1, 2, 4, 0] += 3
    html = heatmaps(want, have, 128)
    assert html is not None
    assert "item 1, channel 2 of 3, where the difference is largest" in html
    golden, ours, difference = pictures(html)
    assert golden.shape == (5, 7, 3)
    assert [tuple(place) for place in np.argwhere((golden != ours).any(axis=2))] == [(4, 0)]
    assert difference[4, 0].tolist() == DIVERGING[63].tolist()
    assert 'alt="ours − golden: 0 to 3"' in html


def test_one_wrong_value_stays_in_sight_when_maps_shrink() -> None:
    want = np.zeros((1, 1, 500, 301), np.float32)
    have = want.copy()
    have[0, 0, 333, 77] = -1
    html = heatmaps(want, have, 40)
    assert html is not None
    difference = pictures(html)[2]
    assert difference.shape == (40, 40, 3)
    assert np.count_nonzero((difference == DIVERGING[0]).all(axis=2)) == 1


def test_vectors_matrices_and_single_values() -> None:
    vector = np.arange(100, dtype=np.float32)
    assert "its 100 values, 20 in a row" in str(heatmaps(vector, vector, 128))
    assert 'alt="ours − golden: none"' in str(heatmaps(vector, vector, 128))
    matrix = np.arange(40, dtype=np.float32).reshape(20, 2)
    assert "the whole blob, its 20 items side by side" in str(heatmaps(matrix, matrix, 128))
    assert heatmaps(np.float32([1]), np.float32([2]), 128) is None
    assert heatmaps(vector, vector[:9], 128) is None


def test_values_that_are_not_finite() -> None:
    want = np.float32([[np.nan, 1, 2], [3, np.inf, 5]])
    have = np.float32([[np.nan, 1, np.nan], [3, np.inf, 4]])
    html = str(heatmaps(want, have, 128))
    assert 'alt="ours − golden: -1 to 0, 1 not finite"' in html
    nothing = np.float32([[-np.finfo(np.float32).max, 1, 2], [3, 4, 5]])
    assert 'alt="golden: 1 to 5"' in str(heatmaps(nothing, nothing, 128))
