"""Detections on their picture: a box and a label for each, coloured by class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ...prototxt.files import whole_file
from ..datasets import Pixels
from .detections import Detection
from .errors import DetectionError

Colour = tuple[int, int, int]
Area = tuple[int, int, int, int]
"""x1, y1, x2, y2; x2 and y2 are the first pixels outside."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT = 21
"""Of a capital letter at scale 1."""
_DARK, _LIGHT = (24, 20, 16), (255, 255, 255)
_GOLDEN = 0.618034
"""Part of the colour circle between one class and the next: no two of any first few come close."""


@dataclass(frozen=True)
class _Pen:
    """Sizes that suit a picture."""

    line: int
    text: float
    margin: int

    @classmethod
    def of(cls, height: int, width: int) -> _Pen:
        side = (height * width) ** 0.5
        text = max(8.0, 0.016 * side)
        return cls(max(2, round(0.004 * side)), text / _FONT_HEIGHT, max(2, round(0.35 * text)))

    @property
    def stroke(self) -> int:
        return max(1, round(2.2 * self.text))

    def size(self, text: str) -> tuple[int, int]:
        """Width and height of a label."""
        (width, height), _ = cv2.getTextSize(text, _FONT, self.text, self.stroke)
        return width + 2 * self.margin, height + 2 * self.margin


def drawn(pixels: Pixels, detections: Iterable[Detection], classes: Sequence[str]) -> Pixels:
    """A copy of the picture with its detections; the surest lie on top, labels above all boxes."""
    canvas = pixels.copy()
    pen, found = _Pen.of(*pixels.shape[:2]), list(detections)
    for detection in reversed(found):
        x1, y1, x2, y2 = map(round, detection.box)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), _DARK, pen.line + 2)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour_of(classes.index(detection.name)), pen.line)
    taken: list[Area] = []
    for detection in found:
        text = f"{detection.name} {detection.score:.2f}"
        area = _free_place(detection, pen.size(text), pixels.shape[:2], taken)
        taken.append(area)
        _label(canvas, area, text, colour_of(classes.index(detection.name)), pen)
    return canvas


def colour_of(label: int) -> Colour:
    """A class's colour, the same in every picture: strong, and neither very dark nor very pale."""
    hue, depth = round(180 * (label * _GOLDEN % 1.0)) % 180, (190, 235, 130)[label // 8 % 3]
    blue, green, red = cv2.cvtColor(np.array([[[hue, depth, 240]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def save_picture(path: Path, pixels: Pixels, force: bool = False) -> None:
    """Write a picture in its suffix's format, whole or not at all."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92] if path.suffix.lower() in (".jpg", ".jpeg") else []
    done, content = cv2.imencode(path.suffix, pixels, quality)
    if not done:
        raise DetectionError(f"{path}: the picture cannot be encoded")
    with whole_file(path, force) as part:
        part.write_bytes(content.tobytes())


def _free_place(detection: Detection, size: tuple[int, int], shape: tuple[int, ...], taken: Sequence[Area]) -> Area:
    """Where a label goes: the first of some places about the box that is free, else the first."""
    x1, y1, x2, y2 = map(round, detection.box)
    width, height = size
    corners = [(x1, y1 - height), (x1, y1), (x2 - width, y1 - height), (x1, y2), (x2 - width, y2), (x1, y2 - height)]
    places = [_inside(x, y, size, shape) for x, y in corners]
    return next((place for place in places if not any(_meet(place, other) for other in taken)), places[0])


def _inside(x: int, y: int, size: tuple[int, int], shape: tuple[int, ...]) -> Area:
    """The label's place, moved into the picture as far as it fits."""
    x, y = max(0, min(x, shape[1] - size[0])), max(0, min(y, shape[0] - size[1]))
    return x, y, x + size[0], y + size[1]


def _meet(a: Area, b: Area) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _label(canvas: Pixels, area: Area, text: str, colour: Colour, pen: _Pen) -> None:
    x1, y1, x2, y2 = area
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), colour, cv2.FILLED)
    bright = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2] > 140
    at = (x1 + pen.margin, y2 - pen.margin)
    cv2.putText(canvas, text, at, _FONT, pen.text, _DARK if bright else _LIGHT, pen.stroke, cv2.LINE_AA)
