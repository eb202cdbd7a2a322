"""Pictures as a net takes them: the mean taken from them, resized, and put together in a blob."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .image_file import Pixels

Floats = NDArray[np.float32]


def centred(pixels: Pixels, means: Sequence[float], flipped: bool = False) -> Floats:
    """Pixels (H, W, 3) without the mean of their channels, B, G, R; flipped from left to right."""
    image = (pixels[:, ::-1] if flipped else pixels).astype(np.float32)
    image -= np.array(means)
    return image


def scale_to(height: int, width: int, target_size: int, max_size: int) -> float:
    """The scale that brings the short side to target_size, or the long side to max_size if it would be longer."""
    short, long = min(height, width), max(height, width)
    scale = target_size / short
    return max_size / long if np.round(scale * long) > max_size else scale


def resized(image: Floats, scale: float) -> Floats:
    """An image (H, W, 3) times a scale, bilinear."""
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.float32)


def to_blob(images: Sequence[Floats]) -> Floats:
    """Images (H, W, 3) of any size as one blob N×3×H×W, with zeros to the right and below; channels last in memory."""
    if len(images) == 1:
        return images[0][None].transpose(0, 3, 1, 2)  # (H, W, 3) -> (1, H, W, 3) -> (1, 3, H, W)
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    blob = np.zeros((len(images), height, width, 3), np.float32)
    for place, image in zip(blob, images, strict=True):
        place[: image.shape[0], : image.shape[1]] = image
    return blob.transpose(0, 3, 1, 2)  # (N, H, W, 3) -> (N, 3, H, W)
