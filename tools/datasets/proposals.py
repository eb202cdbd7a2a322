"""Proposals from a file, beside the truths: Fast R-CNN's way, and the second step of the alternating scheme."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...layers.boxes import arithmetic as box_arithmetic
from ...prototxt.files import read_npz, unbroken, whole_file
from .errors import DataFileError
from .roidb import Boxes, Entry, Roidb

CROWD_THRESH = 0.7
"""From this share of it within a crowd on a proposal is left out."""
_PICKLED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("__builtin__", "bytes"),  # how old protocols write empty arrays
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


def read_proposals(path: str | Path, names: Sequence[str]) -> list[Boxes]:
    """The boxes (R, 4) of each picture: of an .npz by its name, key NAME/boxes; of the originals' files in their order.

    Those are a .pkl of an RPN's proposals, of which only plain arrays are taken and no code is run, and MATLAB's .mat
    of selective search (y1, x1, y2, x2 from 1 on), tidied.
    """
    file = Path(path)
    if file.suffix in (".pkl", ".mat"):
        arrays = _unpickled(file) if file.suffix == ".pkl" else _selective_search(file, names)
        if len(arrays) != len(names):
            raise DataFileError(file, 0, f"has proposals for {len(arrays)} pictures, and the set has {len(names)}")
    else:
        found = read_npz(str(file))
        missing = [name for name in names if f"{name}/boxes" not in found]
        if missing:
            raise DataFileError(file, 0, f"has no proposals for {len(missing)} pictures, the first is {missing[0]!r}")
        arrays = [found[f"{name}/boxes"].load() for name in names]
    return [_checked(file, name, array) for name, array in zip(names, arrays, strict=True)]


def write_proposals(path: str | Path, proposals: dict[str, tuple[Boxes, NDArray[Any]]], force: bool = False) -> None:
    """Write each picture's boxes (R, 4) and scores (R), by its name."""
    arrays = {f"{name}/boxes": boxes for name, (boxes, _) in proposals.items()}
    arrays |= {f"{name}/scores": scores for name, (_, scores) in proposals.items()}
    with whole_file(path, force) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(sorted(arrays.items())))


def tidy(boxes: Boxes, min_size: int = 2, top: int | None = None) -> Boxes:
    """Proposals of selective search, MCG and the like, as the originals take them: distinct, not small, the first ones.

    Small is x2 - x1 < min_size or y2 - y1 <= min_size: that these two differ is the originals' doing.
    """
    _, first = np.unique(np.round(boxes), axis=0, return_index=True)
    kept = boxes[np.sort(first)].astype(np.float64)
    large = (kept[:, 2] - kept[:, 0] >= min_size) & (kept[:, 3] - kept[:, 1] > min_size)
    return boxes[np.sort(first)][large][:top]


def with_proposals(roidb: Roidb, proposals: Sequence[Boxes], outside_crowds: bool = False) -> Roidb:
    """Each picture's truths, then its proposals, with the class of the truth that they overlap most.

    `outside_crowds` leaves out those within crowds, as the originals do for all methods but rpn.
    """
    if len(proposals) != len(roidb.entries):
        raise DataFileError(Path("proposals"), 0, f"are for {len(proposals)} pictures, not {len(roidb.entries)}")
    merged = (_merged(entry, boxes) for entry, boxes in zip(roidb.entries, proposals, strict=True))
    return replace(roidb, entries=tuple(_outside_crowds(entry) if outside_crowds else entry for entry in merged))


def overlaps(boxes: Boxes, query: Boxes) -> NDArray[np.float64]:
    """Overlap of every pair: (N, 4) and (K, 4) -> (N, K)."""
    a, b = (torch.from_numpy(rows.astype(np.float64)) for rows in (boxes, query))
    found: NDArray[np.float64] = box_arithmetic.iou(a, b).numpy()
    return found


def _merged(entry: Entry, boxes: Boxes) -> Entry:
    most, classes = np.zeros(len(boxes), np.float32), np.zeros(len(boxes), np.int64)
    if len(entry.boxes) and len(boxes):
        found = overlaps(boxes, entry.boxes)
        most = found.max(axis=1).astype(np.float32)
        classes = np.where(most > 0, entry.gt_classes[found.argmax(axis=1)], 0)
    nothing = np.zeros(len(boxes))
    return replace(
        entry,
        boxes=np.vstack((entry.boxes, boxes)),
        gt_classes=np.hstack((entry.gt_classes, nothing.astype(np.int32))),
        max_overlaps=np.hstack((entry.max_overlaps, most)),
        max_classes=np.hstack((entry.max_classes, classes)),
        seg_areas=np.hstack((entry.seg_areas, nothing.astype(np.float32))),
    )


def _outside_crowds(entry: Entry) -> Entry:
    """The entry with proposals that lie mostly within one crowd marked like it."""
    proposed, crowd = entry.gt_classes == 0, (entry.gt_classes > 0) & (entry.max_overlaps == -1)
    boxes = entry.boxes.astype(np.float64)
    inner, outer = boxes[proposed][:, None], boxes[crowd][None]  # (N, 1, 4), (1, K, 4)
    sides = np.minimum(inner[..., 2:], outer[..., 2:]) - np.maximum(inner[..., :2], outer[..., :2]) + 1
    area = (inner[..., 2:] - inner[..., :2] + 1).prod(axis=2)
    share = sides.clip(0).prod(axis=2) / area  # (N, K)
    marked, classes = entry.max_overlaps.copy(), entry.max_classes.copy()
    rows = np.flatnonzero(proposed)[(share > CROWD_THRESH).any(axis=1)]
    marked[rows], classes[rows] = -1, 0
    return replace(entry, max_overlaps=marked, max_classes=classes)


def _checked(file: Path, name: str, boxes: Any) -> Boxes:
    array = np.asarray(boxes)
    if array.size == 0:
        return np.zeros((0, 4), np.float32)
    if array.ndim != 2 or array.shape[1] != 4 or array.dtype.kind not in "fiu":
        raise DataFileError(file, 0, f"proposals of {name!r} are {array.dtype} of {array.shape}, not numbers of (R, 4)")
    if not (np.isfinite(array).all() and (array >= 0).all() and (array[:, 2:] >= array[:, :2]).all()):
        raise DataFileError(file, 0, f"proposals of {name!r} are no boxes: NaN, negative, or x2 < x1")
    return array if array.dtype in (np.float32, np.float64, np.uint16) else array.astype(np.float32)


def _selective_search(file: Path, names: Sequence[str]) -> list[Boxes]:
    try:
        from scipy.io import loadmat
    except ImportError:
        raise DataFileError(file, 0, "is MATLAB's, which scipy reads: pip install 'recaffe[mat]'") from None
    with unbroken(str(file), "is no .mat of proposals"):
        found = loadmat(file)
        boxes, listed = found["boxes"].ravel(), [str(name[0]) for name in found.get("images", np.zeros(0)).ravel()]
    unlike = next((pair for pair in zip(listed, names, strict=False) if pair[0] != pair[1]), None)
    if unlike:
        raise DataFileError(file, 0, f"has proposals for {unlike[0]!r} where the set has {unlike[1]!r}")
    arrays = [array.reshape(-1, 4)[:, [1, 0, 3, 2]].astype(np.float64) - 1 for array in boxes]
    return [tidy(array).astype(np.float32) for array in arrays]


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PICKLED:
            raise pickle.UnpicklingError(f"holds {module}.{name}, and only lists of arrays are taken")
        return super().find_class(module, name)


def _unpickled(file: Path) -> list[Any]:
    with unbroken(str(file), "is no pickle of proposals"), file.open("rb") as stream:
        arrays = _Arrays(stream, encoding="latin1").load()
    if not isinstance(arrays, list):
        raise DataFileError(file, 0, f"holds a {type(arrays).__name__}, not a list of arrays")
    return arrays
