"""Scenes of plain shapes over a busy background, drawn from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images import Pixels

SHAPES = ("cross", "disc", "square", "star", "triangle")
_SIDES, _SIZES, _MOST = (256, 320), (24, 120), 5
_SHIFT = 4  # fixed-point bits of cv2's coordinates
_CONTRAST = 80
_SEEN = 0.5
"""Of which less than this share is seen is marked difficult."""

Array = NDArray[Any]
Whole = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A shape in a scene; `box` is x1, y1, x2, y2 counted from 0, as far as the picture shows it."""

    name: str
    box: Whole
    truncated: bool
    difficult: bool


@dataclass(frozen=True)
class Scene:
    """A picture and the shapes in it, the later ones before the earlier ones."""

    pixels: Pixels
    shapes: tuple[Drawn, ...]


@dataclass(frozen=True)
class _Figure:
    """A shape as it will be drawn: how much of each pixel it covers, and its box and area with what lies outside."""

    name: str
    cover: Array
    box: Whole
    truncated: bool


def draw_scene(seed: int, number: int) -> Scene:
    """Scene `number` of a seed: the same numbers give the same scene."""
    rng = np.random.RandomState([seed % 2**32, number])
    height, width = (int(side) for side in rng.randint(_SIDES[0], _SIDES[1] + 1, 2))
    canvas = _background(rng, height, width)
    figures = _figures(rng, height, width)
    for figure in figures:
        _paint(rng, canvas, figure)
    grain = rng.randint(0, 256, canvas.shape, np.uint8).astype(np.float32)
    canvas += (grain - 127.5) * np.float32(rng.uniform(0.03, 0.11))
    shapes = tuple(_drawn(figure, figures[i + 1 :]) for i, figure in enumerate(figures))
    return Scene(np.clip(canvas, 0, 255).round().astype(np.uint8), shapes)


def _background(rng: np.random.RandomState, height: int, width: int) -> Array:
    """Two soft layers of colour and some lines."""
    canvas = np.full((height, width, 3), rng.uniform(50, 200, 3), np.float32)
    for cells, strength in ((4, 40), (24, 14)):
        canvas += cv2.resize(rng.uniform(-strength, strength, (cells, cells, 3)).astype(np.float32), (width, height))
    for _ in range(rng.randint(4, 12)):
        start, end = (rng.uniform(0, 1, (2, 2)) * (width, height)).astype(int).tolist()
        cv2.line(canvas, start, end, rng.uniform(0, 255, 3).tolist(), int(rng.randint(1, 4)), cv2.LINE_8)
    return canvas


def _figures(rng: np.random.RandomState, height: int, width: int) -> list[_Figure]:
    """One to five figures that overlap a little, if at all."""
    figures: list[_Figure] = []
    for _ in range(rng.randint(1, _MOST + 1)):
        for _ in range(20):
            figure = _figure(rng, height, width)
            if all(_overlap(figure.box, other.box) < 0.2 for other in figures):
                figures.append(figure)
                break
    return figures


def _figure(rng: np.random.RandomState, height: int, width: int) -> _Figure:
    """A figure with its middle in the picture; at most a quarter of its size is outside."""
    name = SHAPES[rng.randint(len(SHAPES))]
    size = _SIZES[0] * (_SIZES[1] / _SIZES[0]) ** rng.uniform()
    middle = [rng.uniform(size / 4, side - size / 4) for side in (width, height)]
    points = _outline(name, rng.uniform(0.8, 1.25), rng.uniform(0, 2 * math.pi)) * size / 2
    points *= size / max(np.ptp(points, axis=0).max(), 1)
    corners = np.round((points + np.array(middle)) * 2**_SHIFT).astype(np.int32)
    cover = np.zeros((height, width), np.uint8)
    cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA, _SHIFT)
    rows, columns = (np.flatnonzero((cover > 127).any(axis=axis)) for axis in (1, 0))
    box = int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
    least, most = corners.min(axis=0) / 2**_SHIFT, corners.max(axis=0) / 2**_SHIFT
    truncated = bool((least < -1).any() or (most > (width, height)).any())
    return _Figure(name, cover.astype(np.float32) / 255, box, truncated)


def _outline(name: str, stretch: float, angle: float) -> Array:
    """The corners of a shape of radius 1 about 0, stretched and turned: (N, 2)."""
    if name == "cross":
        arm = 0.3
        x = np.array([-arm, arm, arm, 1, 1, arm, arm, -arm, -arm, -1, -1, -arm])
        points = np.stack((x, np.roll(x, 3)), axis=1)
    else:
        count = {"disc": 64, "square": 4, "star": 10, "triangle": 3}[name]
        turns = np.arange(count) * 2 * math.pi / count
        radius = np.where(np.arange(count) % 2, 0.42, 1.0) if name == "star" else 1.0
        points = np.stack((np.sin(turns) * radius, -np.cos(turns) * radius), axis=1)
    points = points * (math.sqrt(stretch), 1 / math.sqrt(stretch))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(points @ turn.T)


def _paint(rng: np.random.RandomState, canvas: Array, figure: _Figure) -> None:
    """Fill a figure with a colour unlike what lies below, with a soft run of light across it."""
    x1, y1, x2, y2 = figure.box
    part = np.s_[max(y1 - 1, 0) : y2 + 2, max(x1 - 1, 0) : x2 + 2]  # with the pixels that it covers in part
    cover, below = figure.cover[part][..., None], canvas[part]
    mean = below[cover[..., 0] > 0.5].mean(axis=0)
    while np.abs((colour := rng.uniform(0, 255, 3)) - mean).max() < _CONTRAST:
        pass
    height, width, _ = below.shape
    dx, dy = rng.uniform(-20, 20, 2)
    light = np.linspace(-dx, dx, width)[None, :, None] + np.linspace(-dy, dy, height)[:, None, None]
    canvas[part] = below * (1 - cover) + (colour + light) * cover


def _drawn(figure: _Figure, above: list[_Figure]) -> Drawn:
    own = figure.cover > 0.5
    hidden = np.zeros_like(own)
    for other in above:
        hidden |= other.cover > 0.5
    seen = (own & ~hidden).sum() / own.sum()
    return Drawn(figure.name, figure.box, figure.truncated, bool(seen < _SEEN))


def _overlap(a: Whole, b: Whole) -> float:
    """Intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]) + 1, min(a[3], b[3]) - max(a[1], b[1]) + 1
    both = max(width, 0) * max(height, 0)
    areas = [(x2 - x1 + 1) * (y2 - y1 + 1) for x1, y1, x2, y2 in (a, b)]
    return both / (sum(areas) - both)
