"""Colours that tell values apart for every eye, and pictures made of them."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_LEVELS = 64
_NAN, _BLANK = _LEVELS, _LEVELS + 1
_SEQUENTIAL = ("00224e", "35456c", "666970", "948e77", "c8b866", "fee838")
"""Dark blue over grey to yellow: lightness alone orders it."""
_DIVERGING = ("08407e", "3a87c2", "a9cfe6", "f7f7f7", "f6b98e", "d9652b", "7f2704")
"""Blue below zero, orange above."""
_WRONG = (255, 0, 200)


def _table(stops: tuple[str, ...]) -> Array:
    """Colours between the stops, one for each level, then that of NaN and that of nothing."""
    given = np.array([tuple(bytes.fromhex(stop)) for stop in stops], np.float64)
    at = np.linspace(0, len(stops) - 1, _LEVELS)
    levels = np.stack([np.interp(at, range(len(stops)), channel) for channel in given.T], axis=1)
    return np.vstack([levels.round(), [_WRONG, (255, 255, 255)]]).astype(np.uint8)


SEQUENTIAL, DIVERGING = _table(_SEQUENTIAL), _table(_DIVERGING)


def picture(values: Array, low: float, high: float, colours: Array, blank: Array | None = None) -> str:
    """A map of values (rows, columns) as a `data:` address; what is beyond low and high has the colour at the end."""
    span = high - low
    with np.errstate(invalid="ignore", over="ignore"):
        parts = (values - low) / span if 0 < span < np.inf else np.full(values.shape, 0.5)
        levels = np.nan_to_num(np.clip(parts * (_LEVELS - 1), 0, _LEVELS - 1).round(), nan=_NAN).astype(np.uint8)
    levels[np.isnan(values)] = _NAN
    if blank is not None:
        levels[blank] = _BLANK
    return address(_png(levels, colours), "png")


def address(content: bytes, kind: str) -> str:
    """A picture inside the page."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _png(levels: Array, colours: Array) -> bytes:
    """A PNG with a palette, whose last colour is transparent: a byte for each value, before it is packed."""
    height, width = levels.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), levels])  # each row begins with its filter, none
    alpha = bytes([255] * (len(colours) - 1) + [0])
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": colours.tobytes(),
        b"tRNS": alpha,
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks.items())


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
