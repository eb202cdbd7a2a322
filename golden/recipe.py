"""Full-size fixtures store seeds in place of params and image: the rule that makes these from those.

The same NumPy version or not, legacy generators give the same numbers for the same calls, so the order of draws here
is part of the format.
"""

from __future__ import annotations

import json
import re
from math import prod

import numpy as np
import numpy.typing as npt

from .errors import GoldenError

Array = npt.NDArray[np.float32]

_HEAD = ("rpn_cls_score", "rpn_bbox_pred")
"""Layers that draw from the head's generator."""
_SCALES = (
    (r"rpn_cls_score", 0.008, 0.3),
    (r"rfcn_bbox", 0.1, 0.05),
    (r"rfcn_cls", 1.0, 0.5),
    (r"bbox", 0.003, 0.02),
    (r"cls|score", 0.02, 0.5),
    (r"", 1.0, 2.0),
)
"""By the first pattern found in a layer's name: the gain of its weight, the deviation of its bias."""
_GRIDS = ((64, 40.0), (16, 30.0), (4, 20.0), (1, 10.0))
"""An image is noise on coarse to fine grids: the side of a square and how far its values spread."""


def make_params(listing: str, seed: int, head_seed: int) -> dict[tuple[str, int], Array]:
    """The params of the layers listed as JSON `[[name, type, [shape, ...]], ...]`, by (layer, index)."""
    trunk, head = np.random.RandomState(seed), np.random.RandomState(head_seed)
    params = {}
    for name, kind, shapes in _parse(listing):
        rng = head if name in _HEAD else trunk
        for index, shape in enumerate(shapes):
            params[name, index] = _draw(rng, name, kind, index, tuple(shape)).astype(np.float32)
    return params


def make_image(seed: int, height: int, width: int) -> Array:
    """A 1×3×height×width image of blocky noise."""
    rng = np.random.RandomState(seed)
    image = np.zeros((1, 3, height, width))
    for side, spread in _GRIDS:
        grid = rng.standard_normal((1, 3, -(-height // side), -(-width // side))) * spread
        image += grid.repeat(side, 2).repeat(side, 3)[:, :, :height, :width]
    return np.clip(image, -128, 128).astype(np.float32)


def _parse(listing: str) -> list[tuple[str, str, list[list[int]]]]:
    try:
        return [
            (str(name), str(kind), [list(map(int, shape)) for shape in shapes])
            for name, kind, shapes in json.loads(listing)
        ]
    except (ValueError, TypeError) as error:
        raise GoldenError(f"key 'params' is not a JSON list of [name, type, shapes]: {error}") from None


def _draw(
    rng: np.random.RandomState, name: str, kind: str, index: int, shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    if kind == "BatchNorm" and index == 1:
        return rng.uniform(0.5, 1.5, shape)
    if kind == "BatchNorm" and index == 2:
        return np.ones(shape)
    if kind == "Scale" and index == 0:
        return rng.uniform(0.3, 0.7, shape)
    values = rng.standard_normal(shape)
    # In place: at VGG16's size another copy in float64 is 800 MB.
    values *= _deviation(name, kind, index, shape)
    return values


def _deviation(name: str, kind: str, index: int, shape: tuple[int, ...]) -> float:
    if kind in ("BatchNorm", "Scale"):
        return 0.5
    gain, bias = next((gain, bias) for pattern, gain, bias in _SCALES if re.search(pattern, name))
    return float(gain * np.sqrt(2.0 / max(1, prod(shape[1:])))) if index == 0 else bias
