"""Picture files: their sizes, read from the header alone, and their pixels."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from ..annotations import Size
from ..errors import DataFileError

Pixels = NDArray[np.uint8]
"""H×W×3, channels B, G, R."""
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of a JPEG that tell its size."""


def picture_size(path: Path) -> Size:
    """Width and height; what is neither JPEG nor PNG is decoded for it."""
    try:
        with path.open("rb") as file:
            size = _size(file)
    except OSError as error:
        raise DataFileError(path, 0, f"cannot be read: {error.strerror}") from None
    if size is None:
        height, width, _ = read_pixels(path).shape
        return width, height
    return size


def read_pixels(path: Path) -> Pixels:
    """The pixels as they lie in the file, as annotations have them: no camera's orientation turns them."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataFileError(path, 0, f"cannot be read: {error.strerror}") from None
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if len(data) else None
    if pixels is None:
        raise DataFileError(path, 0, "is no image that OpenCV reads, or a damaged one")
    return np.asarray(pixels, np.uint8)


def is_cut_off(path: Path) -> bool:
    """Whether a JPEG or PNG lacks its end, which decoders fill up with gray."""
    data = path.read_bytes()
    if data.startswith(_JPEG):
        # After the last scan begins: a thumbnail, which ends with the same mark, lies before it.
        return b"\xff\xd9" not in data[data.rfind(b"\xff\xda") :]
    return data.startswith(_PNG) and b"IEND" not in data


def _size(file: BinaryIO) -> Size | None:
    start = file.read(24)
    if start.startswith(_PNG) and len(start) == 24:
        return int.from_bytes(start[16:20]), int.from_bytes(start[20:24])
    if not start.startswith(_JPEG):
        return None
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF:
        if head[1] == 0xFF:  # fill bytes may precede a marker
            file.seek(-3, 1)
        elif head[1] in _FRAMES:
            frame = file.read(5)
            return (int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])) if len(frame) == 5 else None
        else:
            file.seek(int.from_bytes(head[2:4]) - 2, 1)
    return None
