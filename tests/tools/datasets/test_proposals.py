from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from recaffe.prototxt.errors import PrototxtError
from recaffe.tools.datasets.annotations.coco import CocoSet
from recaffe.tools.datasets.errors import DataError
from recaffe.tools.datasets.proposals import read_proposals, tidy, with_proposals, write_proposals
from recaffe.tools.datasets.roidb import truth_roidb

BOXES = {"a": np.float32([[1, 2, 30, 20], [0, 0, 9.5, 9]]), "b": np.zeros((0, 4), np.float32)}


def test_a_file_of_them(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    write_proposals(path, {name: (boxes, np.ones(len(boxes))) for name, boxes in BOXES.items()})
    first = path.read_bytes()
    found = read_proposals(path, ["b", "a"])
    assert [boxes.tolist() for boxes in found] == [[], BOXES["a"].tolist()]
    write_proposals(path, {name: (BOXES[name], np.ones(len(BOXES[name]))) for name in ("b", "a")}, force=True)
    assert path.read_bytes() == first
    with pytest.raises(DataError, match=r"p.npz: has no proposals for 1 pictures, the first is 'c'"):
        read_proposals(path, ["a", "c"])


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_the_originals_pickles(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "p.pkl"
    path.write_bytes(pickle.dumps(list(BOXES.values()), protocol))
    found = read_proposals(path, ["x", "y"])
    assert [boxes.tolist() for boxes in found] == [boxes.tolist() for boxes in BOXES.values()]
    with pytest.raises(DataError, match=r"p.pkl: has proposals for 2 pictures, and the set has 1"):
        read_proposals(path, ["x"])


def test_matlabs_files_of_selective_search(tmp_path: Path) -> None:
    path = tmp_path / "voc.mat"
    boxes, images = np.empty((1, 2), object), np.empty((2, 1), object)
    # y1, x1, y2, x2 from 1 on: one box twice, one too small.
    boxes[0, 0] = np.array([[3, 2, 21, 31], [3, 2, 21, 31], [5, 5, 6, 6], [1, 1, 9, 9]], np.uint16)
    boxes[0, 1] = np.zeros((0, 4))
    images[0, 0], images[1, 0] = "000005", "000007"
    scipy.io.savemat(path, {"boxes": boxes, "images": images})
    found = read_proposals(path, ["000005", "000007"])
    assert [rows.tolist() for rows in found] == [[[1, 2, 30, 20], [0, 0, 8, 8]], []]
    with pytest.raises(DataError, match=r"voc.mat: has proposals for '000007' where the set has '000009'"):
        read_proposals(path, ["000005", "000009"])
    path.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(100))
    with pytest.raises(PrototxtError, match=r"voc.mat: is no .mat of proposals"):
        read_proposals(path, ["000005"])


def test_a_pickles_code_is_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "run"),)

    path = tmp_path / "p.pkl"
    path.write_bytes(pickle.dumps([Evil()]))
    with pytest.raises(PrototxtError, match=r"is no pickle of proposals: holds posix\.mkdir, and only lists of arrays"):
        read_proposals(path, ["x"])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        (np.ones((2, 5)), r"proposals of 'a' are float64 of \(2, 5\), not numbers of \(R, 4\)"),
        (np.array([[0, 0, np.nan, 1]]), "proposals of 'a' are no boxes: NaN, negative, or x2 < x1"),
        (np.array([[5, 0, 4, 1]]), "proposals of 'a' are no boxes: NaN, negative, or x2 < x1"),
    ],
)
def test_what_is_no_box_is_refused(boxes: Any, told: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", **{"a/boxes": boxes})
    with pytest.raises(DataError, match=told):
        read_proposals(tmp_path / "p.npz", ["a"])


def test_distinct_and_not_small_ones() -> None:
    boxes = np.array(
        [[9, 9, 30, 30], [0, 0, 2, 2], [0, 0, 2, 3], [0, 0, 1, 9], [9, 9, 30, 30], [1, 1, 5, 5]], np.uint16
    )
    assert tidy(boxes).tolist() == [[9, 9, 30, 30], [0, 0, 2, 3], [1, 1, 5, 5]]
    assert tidy(boxes, top=2).tolist() == [[9, 9, 30, 30], [0, 0, 2, 3]]


def test_those_in_crowds_are_left_out(make_coco: Callable[..., tuple[Path, Path]]) -> None:
    crowd = {"iscrowd": 1}
    roidb = truth_roidb(CocoSet(*make_coco([(1, 7, [0, 0, 20, 20], crowd), (1, 3, [30, 0, 20, 20], {})])))
    (entry,) = roidb.entries
    assert entry.max_overlaps.tolist() == [-1, 1]
    assert entry.max_classes.tolist() == [0, 2]
    assert entry.gt_overlaps(3).tolist() == [[-1, -1, -1], [0, 0, 1]]
    # Within the crowd: all of the first, 0.7 and 0.75 of the next two; the last is in none.
    proposals = np.array([[2, 2, 7, 7], [0, 13, 9, 22], [0, 5, 9, 24], [30, 0, 49, 9]], np.float32)
    (plain,) = with_proposals(roidb, [proposals]).entries
    (without,) = with_proposals(roidb, [proposals], outside_crowds=True).entries
    assert plain.max_classes[2:].tolist() == [1, 1, 1, 2]
    assert without.max_overlaps[2:].tolist() == [-1, *plain.max_overlaps[[3]], -1, 0.5]
    assert without.max_classes[2:].tolist() == [0, 1, 0, 2]


def test_as_many_as_pictures(make_coco: Callable[..., tuple[Path, Path]]) -> None:
    with pytest.raises(DataError, match="proposals: are for 2 pictures, not 1"):
        with_proposals(truth_roidb(CocoSet(*make_coco([]))), [BOXES["a"]] * 2)
