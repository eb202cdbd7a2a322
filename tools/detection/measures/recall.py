"""How many objects some proposals cover, by overlap: the originals' evaluate_recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ....layers.boxes import iou
from ..errors import DetectionError

Floats = npt.NDArray[np.float64]
_LARGEST = 1e5**2
AREAS = {
    "all": (0, _LARGEST),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, _LARGEST),
    "96-128": (96**2, 128**2),
    "128-256": (128**2, 256**2),
    "256-512": (256**2, 512**2),
    "512-inf": (512**2, _LARGEST),
}
"""Ranges of an object's area in pixels, both ends inside."""


@dataclass(frozen=True)
class Objects:
    """The objects to be covered in one picture: boxes K×4 counted from 0, and their areas."""

    boxes: npt.NDArray[Any]
    areas: npt.NDArray[Any]


@dataclass(frozen=True)
class Recall:
    """Recall at each threshold, their mean, and by how much each object is covered, the least first."""

    thresholds: Floats
    recalls: Floats
    ar: float
    overlaps: Floats


def evaluate_recall(
    proposals: Sequence[npt.NDArray[Any]],
    objects: Sequence[Objects],
    *,
    area: str = "all",
    limit: int | None = None,
    thresholds: Sequence[float] | None = None,
) -> Recall:
    """Cover objects by proposals (N×4, best first, of which `limit` count): the best pair of both first.

    An object whose picture has no proposal is asked for, but has no entry in `overlaps`. Without objects all is NaN.
    """
    if area not in AREAS:
        raise DetectionError(f"unknown area {area!r}: there are {', '.join(AREAS)}")
    least, most = AREAS[area]
    wanted, count = [np.zeros(0)], 0
    for boxes, truth in zip(proposals, objects, strict=True):
        truths = truth.boxes[(truth.areas >= least) & (truth.areas <= most)]
        count += len(truths)
        if len(boxes):
            wanted.append(_covered(boxes[:limit], truths))
    overlaps = np.sort(np.concatenate(wanted))
    at = np.arange(0.5, 0.95 + 1e-5, 0.05) if thresholds is None else np.array(thresholds, np.float64)
    with np.errstate(invalid="ignore"):
        recalls = (overlaps >= at[:, None]).sum(axis=1) / np.float64(count)  # (T, 1), (K,) -> (T,)
    return Recall(at, recalls, float(recalls.mean()), overlaps)


def _covered(boxes: npt.NDArray[Any], truths: npt.NDArray[Any]) -> Floats:
    """By how much each object is covered (K,): pairs by descending overlap, no box and no object twice; the rest 0."""
    overlaps = iou(_float64(boxes), _float64(truths)).numpy().T.copy()  # (N, K) -> (K, N)
    covered = np.zeros(len(truths))
    for k in range(min(overlaps.shape)):
        truth, box = np.unravel_index(overlaps.argmax(), overlaps.shape)
        covered[k] = overlaps[truth, box]
        overlaps[truth], overlaps[:, box] = -1, -1
    return covered


def _float64(boxes: npt.NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(boxes.astype(np.float64).reshape(-1, 4))
