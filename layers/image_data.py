"""ImageData."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .base import Arity, Draws, LayerError, register
from .sources import Item, StreamLayer, Transformation, decode, read_bytes, resize


@register("ImageData")
class ImageDataLayer(StreamLayer):
    """Read batches of image files that a list names, with a label each.

    Bottoms: none. Tops: data (N×C×H×W) and label (N), N = batch_size; C×H×W is what `transform_param` makes of the
    batch's first image, C = 3 or, unless is_color, 1.
    A line of the list `source` is a name, a space and a whole number; the last space parts them, so that a name may
    have spaces. `root_folder` is put before the name as it is. Images are resized to new_height×new_width if given.
    After the last line comes the first again, also within a batch. `shuffle` mixes the lines, and mixes them again at
    each end; rand_skip K begins at line 0 to K - 1.

    Differs from Caffe: images are read when they are needed, not ahead by a thread. As in Caffe the fields that
    transform_param replaced say nothing: scale, mean_file, crop_size, mirror.
    """

    messages = ("image_data_param",)
    tops = Arity(2, 2)
    reads_files = True

    def __init__(
        self,
        *,
        source: str | None = None,
        scale: float = 1.0,
        mean_file: str | None = None,
        batch_size: int = 1,
        crop_size: int = 0,
        mirror: bool = False,
        rand_skip: int = 0,
        shuffle: bool = False,
        new_height: int = 0,
        new_width: int = 0,
        is_color: bool = True,
        root_folder: str | None = None,
        transform_param: Transformation | None = None,
        phase: str = "TEST",
        seeds: Draws | None = None,
        folder: Path = Path(),
    ) -> None:
        super().__init__(batch_size, transform_param, phase, seeds)
        if bool(new_height) != bool(new_width):
            raise LayerError(f"has new_height {new_height} and new_width {new_width}: give both or none")
        self.folder, self.source, self.root_folder = folder, source or "", root_folder or ""
        self.rand_skip, self.shuffle, self.is_color = rand_skip, shuffle, is_color
        self.size = (new_height, new_width)

    def _open(self) -> Iterator[Any]:
        path = self.folder / self.source
        text = read_bytes(path).decode(errors="surrogateescape")
        if not text:
            raise LayerError(f"{path}: has no line")
        lines = [parse_line(line) for line in text.removesuffix("\n").split("\n")]
        shuffler = Draws(self.seeds.number()) if self.shuffle else None
        skip = self.seeds.below(self.rand_skip) if self.rand_skip else 0
        if skip >= len(lines):
            raise LayerError(f"{path}: has {len(lines)} lines, too few to skip {skip} by rand_skip {self.rand_skip}")
        return _cycle(lines, skip, shuffler)

    def _load(self, source: Any) -> Item:
        name, label = source
        path = self.folder / (self.root_folder + name)
        try:
            image = decode(read_bytes(path), self.is_color)
        except LayerError as error:
            raise LayerError(str(error) if str(error).startswith(str(path)) else f"{path} {error}") from None
        return Item(resize(image, *self.size) if self.size[0] else image, label, str(path))


def parse_line(line: str) -> tuple[str, int]:
    """A name and a label: as in C's atoi the label is the number that its text begins with, or 0.

    A line without a space is both.
    """
    name, space, text = line.rpartition(" ")
    return name if space else line, _atoi(text)


def _atoi(text: str) -> int:
    """What C's atoi reads: a long, at most the largest there is, of which an int keeps the lower 32 bits."""
    found = re.match(r"\s*([+-]?)0*(\d*)", text, re.ASCII)
    assert found
    digits = found[2] if len(found[2]) < 20 else "9" * 20
    number = max(-(1 << 63), min((1 << 63) - 1, int(f"{found[1]}{digits or 0}")))
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def _cycle(lines: list[tuple[str, int]], start: int, shuffler: Draws | None) -> Iterator[tuple[str, int]]:
    while True:
        if shuffler:
            shuffler.shuffle(lines)
        yield from lines[start:]
        start = 0
