"""R-CNN's windows: the file that lists them, and how one is cut from its image and brought to the net's size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

import numpy as np

from ..base import LayerError, times
from .images import Image, resize

_INT = range(-(1 << 31), 1 << 31)


class Window(NamedTuple):
    """A box of an image, its corners counted in, and its class."""

    image: int
    label: int
    overlap: np.float32
    x1: int
    y1: int
    x2: int
    y2: int


def parse_windows(text: str) -> tuple[list[str], list[Window]]:
    """Read a window file: the images' names, and all windows.

    For each image it has `#`, its number, its name, channels, height, width, and how many windows. Each
    window is a class, an overlap with an object of it, and x1, y1, x2, y2. Any white space parts the words.
    """
    words = iter(text.split())
    images: list[str] = []
    windows: list[Window] = []
    try:
        for mark in words:
            if mark != "#" or _whole(next(words)) != len(images):
                raise ValueError(f"it should begin with # {len(images)}")
            images.append(next(words))
            for _ in ("channels", "height", "width"):
                next(words)  # the image knows them itself
            windows += [_window(len(images) - 1, words) for _ in range(_whole(next(words)))]
    except StopIteration:
        raise LayerError(f"ends within image {len(images)}") from None
    except ValueError as error:
        raise LayerError(f"has a fault in image {len(images)}: {error}") from None
    return images, windows


def _window(image: int, words: Iterator[str]) -> Window:
    label, overlap = _whole(next(words)), np.float32(next(words))
    x1, y1, x2, y2 = [_whole(next(words)) for _ in range(4)]
    return Window(image, label, overlap, x1, y1, x2, y2)


def _whole(word: str) -> int:
    """A number that a C++ int holds."""
    number = int(word)
    if number not in _INT:
        raise ValueError(f"{word} is no whole number from {_INT[0]} to {_INT[-1]}")
    return number


@dataclass(frozen=True)
class Cut:
    """How windows become crop_size×crop_size: as they are, or with context.

    `context_pad` p widens a window so that, once resized, p pixels around it show what surrounds it; `square` first
    widens its shorter side to the longer. What then lies outside of the image stays empty.
    """

    size: int
    context_pad: int = 0
    square: bool = False

    def __call__(self, image: Image, window: Window, mirror: bool) -> tuple[Image, int, int]:
        """The pixels of a window, and the row and column of the crop where they begin."""
        _, height, width = image.shape
        x = Span(window.x1, window.x2, 0, self.size)
        y = Span(window.y1, window.y2, 0, self.size)
        if self.context_pad or self.square:
            x, y = self._widened(window, width, height, mirror)
        if not (0 <= x.first <= x.last < width and 0 <= y.first <= y.last < height and x.length > 0 < y.length):
            box = ", ".join(map(str, window[3:]))
            raise LayerError(f"window ({box}) has no place in its image of {times((height, width))}")
        pixels = resize(image[:, y.first : y.last + 1, x.first : x.last + 1], y.length, x.length)
        return pixels[:, :, ::-1] if mirror else pixels, y.start, x.start

    def _widened(self, window: Window, width: int, height: int, mirror: bool) -> tuple[Span, Span]:
        half_x = np.float32(window.x2 - window.x1 + 1) / np.float32(2)
        half_y = np.float32(window.y2 - window.y1 + 1) / np.float32(2)
        x, y = window.x1 + half_x, window.y1 + half_y
        if self.square:
            half_x = half_y = max(half_x, half_y)
        factor = np.float32(self.size) / np.float32(self.size - 2 * self.context_pad)
        across = _clip(x - half_x * factor, x + half_x * factor, width, self.size, mirror)
        return across, _clip(y - half_y * factor, y + half_y * factor, height, self.size, False)


class Span(NamedTuple):
    """One axis of a cut: pixels `first` to `last` of the image become `length` pixels from `start` on."""

    first: int
    last: int
    start: int
    length: int


def _clip(low: np.float32, high: np.float32, side: int, size: int, mirror: bool) -> Span:
    """Clip a widened side to its image; `size` pixels would have held all of it."""
    first, last = _round(low), _round(high)
    if last < first:
        return Span(first, last, 0, 0)  # it holds nothing, and is refused
    before, behind = max(0, -first), max(0, last - side + 1)
    factor = np.float32(size) / np.float32(last - first + 1)
    first, last = first + before, last - behind
    start = _round(np.float32(behind if mirror else before) * factor)
    length = _round(np.float32(last - first + 1) * factor)
    return Span(first, last, start, min(length, size - start))


def _round(value: np.float32) -> int:
    """To the nearest whole number, halves away from zero."""
    rounded = floor(abs(float(value)) + 0.5)
    return rounded if value >= 0 else -rounded
