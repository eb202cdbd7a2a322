from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.errors import DataError
from recaffe.tools.datasets.roidb import Roidb, joined, truth_roidb, usable, with_flips

Make = Callable[[str], tuple[Roidb, Roidb, Config]]
ARRAYS = ("boxes", "gt_classes", "max_classes", "max_overlaps")


@pytest.mark.parametrize("name", ["gt", "fast_plain", "fast_agnostic_means"])
def test_it_is_the_originals(name: str, roidb_of: Make, golden: Callable[[str], dict[str, Any]]) -> None:
    file, (roidb, kept, config) = golden(f"roidb_{name}"), roidb_of(name)
    assert len(roidb.entries) == file["count"]
    for k, entry in enumerate(roidb.entries):
        for array in ARRAYS:
            have, want = getattr(entry, array), file[f"{k}/{array}"]
            assert have.dtype == want.dtype
            assert np.array_equal(have, want), (k, array)
        assert np.array_equal(entry.gt_overlaps(len(roidb.classes)), file[f"{k}/gt_overlaps"])
        assert [entry.flipped, entry.width, entry.height] == [file[f"{k}/{n}"] for n in ("flipped", "width", "height")]
        assert entry.image.as_posix().endswith(str(file[f"{k}/image"]))
        if not entry.flipped:
            assert np.array_equal(entry.seg_areas, file[f"{k}/seg_areas"])
    assert usable(roidb, config) == tuple(file["filtered"])
    assert len(kept.entries) == len(file["filtered"])


def test_a_flip_twice_is_none(voc: VocSet) -> None:
    for entry in truth_roidb(voc).entries:
        again = entry.flip().flip()
        assert np.array_equal(again.boxes, entry.boxes)
        assert not again.flipped


def test_sets_are_joined(voc: VocSet) -> None:
    one = with_flips(truth_roidb(voc))
    both = joined([one, one])
    assert [entry.flipped for entry in both.entries] == ([False] * 9 + [True] * 9) * 2
    with pytest.raises(DataError, match=r"sets of unlike classes cannot be joined: disc, block, wedge and disc$"):
        joined([one, Roidb(one.classes[:2], one.entries)])


def test_a_picture_of_another_size_is_refused(make_voc: Callable[..., Path]) -> None:
    root = make_voc({"a": []}, "<width>61</width><height>40</height>")
    with pytest.raises(DataError) as error:
        truth_roidb(VocSet(root, "trainval"))
    image = root / "JPEGImages" / "a.png"
    told = f"{root}/Annotations/a.xml:2: says 61×40, but {image} has 60×40 (recaffe data check tells more)"
    assert str(error.value) == told


def test_without_a_size_the_images_is_taken(make_voc: Callable[..., Path]) -> None:
    root = make_voc({"a": [("car", 1, 1, 60, 40)]}, "")
    (root / "Annotations" / "a.xml").write_text(
        (root / "Annotations" / "a.xml").read_text().replace("<size></size>", "")
    )
    (entry,) = truth_roidb(VocSet(root, "trainval")).entries
    assert (entry.width, entry.height, entry.boxes.tolist()) == (60, 40, [[0, 0, 59, 39]])
