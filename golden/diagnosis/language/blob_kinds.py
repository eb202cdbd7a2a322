"""The kinds of blob, by what a place in one is: an anchor, a RoI, a class, a coordinate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Protocol

import numpy as np

from ....layers import Shape

Index = tuple[int, ...]
Name = Callable[[int], str]
"""The words for a channel or column."""

DELTAS = ("dx", "dy", "dw", "dh")
CORNERS = ("x1", "y1", "x2", "y2")


class BlobKind(Protocol):
    """Words for the places of a blob; `channel` has those for a channel or column alone, as in a layer's output."""

    def at(self, index: Index, shape: Shape) -> str:
        """The words for an index into a blob of that shape."""
        ...

    def channel(self, number: int) -> str:
        """The words for one channel or column."""
        ...


@dataclass(frozen=True)
class Items:
    """Axis 0 are items (images, RoIs, truths), axis 1 channels or columns, the rest cells of a map or bins of a RoI."""

    item: str = "item"
    name: Name = "channel {}".format
    cell: str = "row {}, column {}"

    def at(self, index: Index, shape: Shape) -> str:
        """Item, channel, cell; an image's number is left out where there is one alone."""
        parts = []
        if index and (self.item not in ("image", "item") or shape[0] > 1):
            parts.append(f"{self.item} {index[0]}")
        if len(index) > 1 and not self._is_single(shape):
            parts.append(self.name(index[1]))
        if len(index) == 4 and shape[2:] != (1, 1):
            parts.append(self.cell.format(*index[2:]))
        elif len(index) > 2 and len(index) != 4:
            parts.append(f"at {list(index[2:])}")
        return ", ".join(parts) or "the only value"

    def _is_single(self, shape: Shape) -> bool:
        """Whether there is nothing to tell apart: one column without a name of its own."""
        return prod(shape[1:]) == 1 and len(shape) != 3

    def channel(self, number: int) -> str:
        """As named."""
        return self.name(number)


@dataclass(frozen=True)
class AnchorMap:
    """A map of `kinds` numbers for each of `count` anchors a cell, under any shape that keeps its order.

    Where the kinds are inside (deltas) channel a * 4 + k is number k of anchor a, else k * count + a.
    """

    count: int
    names: tuple[str, ...]
    inside: bool = False

    def at(self, index: Index, shape: Shape) -> str:
        """The anchor as (row, column, #number) and what of it."""
        flat = int(np.ravel_multi_index(index, shape))
        width, channels = shape[-1], self.count * len(self.names)
        height = prod(shape) // (channels * width)
        channel, row, column = np.unravel_index(flat % (channels * height * width), (channels, height, width))
        anchor, kind = self._split(int(channel))
        return ", ".join(filter(None, (f"anchor (row {row}, column {column}, #{anchor})", self.names[kind])))

    def channel(self, number: int) -> str:
        """The anchor's number in its cell and what of it."""
        anchor, kind = self._split(number)
        return ", ".join(filter(None, (f"anchor #{anchor}", self.names[kind])))

    def _split(self, channel: int) -> Index:
        """The number of the anchor and of what it is."""
        return divmod(channel, len(self.names)) if self.inside else divmod(channel, self.count)[::-1]


def class_name(number: int) -> str:
    """A column of scores; 0 is the background where there are RoIs."""
    return f"class {number}"


def box_name(number: int) -> str:
    """A column of box deltas."""
    return f"class {number // 4}, {DELTAS[number % 4]}"


def listed(names: tuple[str, ...], number: int) -> str:
    """A column by its place in a list."""
    return names[number] if number < len(names) else f"column {number}"


def binned(group: int, inner: Name, number: int) -> str:
    """A channel of a position-sensitive map: what it is of, and the bin that reads it."""
    outer, place = divmod(number, group * group)
    return f"{inner(outer)}, bin ({place // group}, {place % group})"


ROIS = Items("RoI", partial(listed, ("image", *CORNERS)))
TRUTHS = Items("truth", partial(listed, (*CORNERS, "class")))
IMAGE_INFO = Items("image", partial(listed, ("height", "width", "scale")))
ROI_SCORE = Items("RoI", lambda _: "score")
ROI_CLASSES, ROI_BOXES = (Items("RoI", name, "bin ({}, {})") for name in (class_name, box_name))
CLASSES = Items("item", class_name)


def scores_of(count: int) -> AnchorMap:
    """The RPN's scores, of background and of object."""
    return AnchorMap(count, ("background", "object"))


def deltas_of(count: int) -> AnchorMap:
    """The RPN's deltas and their targets and weights."""
    return AnchorMap(count, DELTAS, inside=True)


def labels_of(count: int) -> AnchorMap:
    """The anchors' labels."""
    return AnchorMap(count, ("",))
