"""The small detector that comes along, and what it finds in drawn scenes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ...prototxt.text import Config
from ..datasets import SHAPES, Pixels, draw_scene
from .detector import Detector
from .drawing import drawn

ZOO = Path(__file__).parents[2] / "prototxt" / "zoo"
SCENES = 6
"""How many are drawn, which the detector was not trained on."""
_SEED, _ROW = 11, 3
_SIDE, _GAP, _PAPER = 480, 12, (250, 249, 247)


def shapes_detector(thresh: float = 0.8) -> Detector:
    """The small net of the zoo, as it was trained on drawn shapes."""
    config = Config.default().with_yaml(ZOO / "shapes.yml")
    net = ZOO / "shapes.prototxt", ZOO / "shapes.caffemodel"
    return Detector.from_caffe(*net, classes=tuple(SHAPES), config=config, thresh=thresh)


def draw_found(detector: Detector) -> tuple[Pixels, int]:
    """Scenes with what is found in them, side by side, and how much that is."""
    tiles, count = [], 0
    for number in range(1, SCENES + 1):
        pixels = draw_scene(_SEED, number).pixels
        scale = _SIDE / max(pixels.shape[:2])
        large = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
        found = detector(large)
        count += len(found)
        tiles.append(_framed(drawn(large, found, found.classes)))
    rows = [np.hstack(tiles[i : i + _ROW]) for i in range(0, SCENES, _ROW)]
    return np.vstack(rows), count


def _framed(picture: Pixels) -> Pixels:
    """A picture in the middle of a square of paper."""
    height, width = picture.shape[:2]
    tile = np.full((_SIDE + _GAP, _SIDE + _GAP, 3), _PAPER, np.uint8)
    y, x = (_SIDE + _GAP - height) // 2, (_SIDE + _GAP - width) // 2
    tile[y : y + height, x : x + width] = picture
    return tile
