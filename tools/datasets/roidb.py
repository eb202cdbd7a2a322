"""The roidb: for every picture to train on, its regions and what they overlap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...prototxt.text import Config
from .annotations import Picture, PictureSet
from .errors import DataFileError
from .images import picture_size

Boxes = NDArray[Any]
"""(R, 4), x1, y1, x2, y2 counted from 0, x2 and y2 the last pixels inside; uint16 where there are truths alone."""


@dataclass(frozen=True)
class Entry:
    """A picture, by its name in the set, with R regions of interest: its truths, then proposals.

    `max_overlaps` (R): the largest overlap with a truth; 1 for truths, -1 for crowds and what lies in them, which are
    neither foreground nor background. `max_classes` (R): that truth's class. `gt_classes` (R): a truth's own class, 0
    for proposals. `bbox_targets` (R, 5): class, dx, dy, dw, dh.
    """

    name: str
    image: Path
    width: int
    height: int
    boxes: Boxes
    gt_classes: NDArray[np.int32]
    max_overlaps: NDArray[np.float32]
    max_classes: NDArray[np.int64]
    seg_areas: NDArray[np.float32]
    flipped: bool = False
    bbox_targets: NDArray[np.float32] | None = None

    def gt_overlaps(self, num_classes: int) -> NDArray[np.float32]:
        """The overlap of each region with each class, (R, num_classes), as the originals keep it."""
        overlaps = np.zeros((len(self.boxes), num_classes), np.float32)
        overlaps[np.arange(len(self.boxes)), self.max_classes] = self.max_overlaps
        overlaps[self.max_overlaps < 0] = -1
        return overlaps

    def flip(self) -> Entry:
        """The same picture from left to right."""
        boxes = self.boxes.copy()
        boxes[:, 0], boxes[:, 2] = self.width - self.boxes[:, 2] - 1, self.width - self.boxes[:, 0] - 1
        return replace(self, boxes=boxes, flipped=not self.flipped)


@dataclass(frozen=True)
class Roidb:
    """Pictures to train on, and the means and deviations of the box targets, (K, 4) each, once they have targets."""

    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    means: NDArray[np.float64] | None = None
    stds: NDArray[np.float64] | None = None


def truth_roidb(pictures: PictureSet) -> Roidb:
    """The truths of a set; a picture whose size is not the annotated one is refused."""
    return Roidb(pictures.classes, tuple(_entry(pictures, picture) for picture in pictures.pictures()))


def _entry(pictures: PictureSet, picture: Picture) -> Entry:
    size = picture_size(picture.path)
    if picture.size not in (None, size):
        stated = f"{picture.size[0]}×{picture.size[1]}" if picture.size else ""
        what = f"says {stated}, but {picture.path} has {size[0]}×{size[1]}"
        raise DataFileError(picture.file, picture.line, f"{what} (recaffe data check tells more)")
    truths = pictures.truths(picture, size)
    overlaps = np.where(truths.crowd, -1, 1).astype(np.float32)
    classes = np.where(truths.crowd, 0, truths.classes).astype(np.int64)
    return Entry(picture.name, picture.path, *size, truths.boxes, truths.classes, overlaps, classes, truths.areas)


def with_flips(roidb: Roidb) -> Roidb:
    """The pictures, and after them all of them once more, from left to right."""
    return replace(roidb, entries=roidb.entries + tuple(entry.flip() for entry in roidb.entries))


def joined(roidbs: Sequence[Roidb]) -> Roidb:
    """Several sets in a row, such as VOC 2007's and 2012's; they must have the same classes."""
    first = roidbs[0]
    for other in roidbs[1:]:
        if other.classes != first.classes:
            unlike = f"{', '.join(first.classes[1:])} and {', '.join(other.classes[1:])}"
            raise DataFileError(other.entries[0].image.parent, 0, f"sets of unlike classes cannot be joined: {unlike}")
    return Roidb(first.classes, tuple(entry for roidb in roidbs for entry in roidb.entries))


def usable(roidb: Roidb, config: Config) -> tuple[int, ...]:
    """The numbers of the entries that have a region to sample, foreground or background."""
    return tuple(number for number, entry in enumerate(roidb.entries) if _is_usable(entry, config))


def chosen(roidb: Roidb, numbers: Iterable[int]) -> Roidb:
    """Some of the entries."""
    return replace(roidb, entries=tuple(roidb.entries[number] for number in numbers))


def digest_of(roidb: Roidb) -> bytes:
    """A digest of all that decides what is trained on, but for the pixels of the pictures."""
    digest = hashlib.sha256(repr(roidb.classes).encode())
    for entry in roidb.entries:
        digest.update(f"{entry.image.name} {entry.width} {entry.height} {entry.flipped} ".encode())
        for array in (entry.boxes, entry.max_overlaps, entry.max_classes):
            digest.update(array.tobytes())
    return digest.digest()


def _is_usable(entry: Entry, config: Config) -> bool:
    overlaps = entry.max_overlaps
    near = (overlaps < config["TRAIN.BG_THRESH_HI"]) & (overlaps >= config["TRAIN.BG_THRESH_LO"])
    return bool(((overlaps >= config["TRAIN.FG_THRESH"]) | near).any())
