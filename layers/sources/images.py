"""Image files as Caffe reads them, by OpenCV: channels B, G, R.

Two things depend on OpenCV's very arithmetic: gray from a coloured PNG is libpng's, and a resize has weights of 1/2048.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..base import LayerError

Image = npt.NDArray[Any]
"""C×H×W, of bytes or float32."""
_FLAGS = {True: cv2.IMREAD_COLOR, False: cv2.IMREAD_GRAYSCALE, None: cv2.IMREAD_UNCHANGED}


def read_bytes(path: Path) -> bytes:
    """A file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise LayerError(f"{path}: cannot be read: {error.strerror or error}") from None


def decode(data: bytes, color: bool | None = True) -> Image:
    """An image file's bytes as C×H×W of uint8: three channels, one (gray), or for None as many as the file has."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[color]) if data else None
    if pixels is None:
        raise LayerError("is no image that OpenCV reads, or a damaged one")
    if pixels.dtype != np.uint8:
        raise LayerError(f"has {pixels.dtype} values, and only 8 bits for each are read: say force_color or force_gray")
    # (H, W) or (H, W, C) -> (H, W, C) -> (C, H, W)
    return np.atleast_3d(pixels).transpose(2, 0, 1)


def resize(image: Image, height: int, width: int) -> Image:
    """An image of bytes in another size: bilinear between four pixels, whatever the scale."""
    pixels = cv2.resize(np.ascontiguousarray(image.transpose(1, 2, 0)), (width, height))
    return np.atleast_3d(pixels).transpose(2, 0, 1)
