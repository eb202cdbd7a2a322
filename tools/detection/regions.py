"""Proposals that are handed in, as a Fast R-CNN net takes them: by scale of the image pyramid, each place once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.floating]
"""N×4: x1, y1, x2, y2."""
_PRETRAINED_AREA = 224 * 224
_PLACES = np.array([1, 1e3, 1e6, 1e9, 1e12])


@dataclass(frozen=True)
class Regions:
    """RoIs for a net, and which proposal each of them stands for."""

    rois: npt.NDArray[np.float32]
    """R×5: the item of the batch, then the box in its pixels."""
    first: npt.NDArray[np.intp]
    """For each RoI a proposal that has it."""
    back: npt.NDArray[np.intp]
    """For each proposal its RoI."""


def project(boxes: Boxes, scales: Sequence[float], dedup: float) -> Regions:
    """Boxes moved to the scale of the pyramid at which each is nearest in area to 224×224.

    dedup: RoIs that are equal when rounded to 1 / dedup pixels go through the net once; 0 keeps all. The order of those
    that stay is the originals': by scale, y2, x2, y1, x1 in such steps, and x1 counts least.
    """
    exact = boxes.astype(np.float64)
    factors = np.asarray(scales, np.float64)
    areas = (exact[:, 2] - exact[:, 0] + 1) * (exact[:, 3] - exact[:, 1] + 1)
    # (N, 1) * (S,) -> (N, S) -> (N,)
    level = np.abs(areas[:, None] * factors**2 - _PRETRAINED_AREA).argmin(axis=1)
    rois = np.hstack((level[:, None], exact * factors[level][:, None])).astype(np.float32)
    everyone = np.arange(len(rois))
    if dedup <= 0:
        return Regions(rois, everyone, everyone)
    # One number for each RoI, as there: RoIs of a picture beyond 16,000 pixels could share one by accident.
    keys = np.round(rois * dedup).dot(_PLACES)
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    return Regions(rois[first], first, back.reshape(-1))
