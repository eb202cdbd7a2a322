from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.coco import CocoSet
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.proposals import write_proposals
from recaffe.tools.datasets.roidb import Roidb
from recaffe.tools.datasets.training import training_roidb


def same(have: Roidb, want: Roidb) -> bool:
    pairs = zip(have.entries, want.entries, strict=True)
    names = ("boxes", "max_overlaps", "max_classes", "gt_classes", "bbox_targets")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for a, b in pairs for name in names)


def test_from_pictures_and_proposals_to_what_the_originals_train_on(
    voc: VocSet, golden: Callable[[str], dict[str, Any]], roidb_of: Callable[..., Any], tmp_path: Path
) -> None:
    file, (_, kept, config) = golden("roidb_fast_plain"), roidb_of("fast_plain")
    names = [name for name, _ in voc.names()]
    proposals = {name: (file[f"proposals/{i}"], np.zeros(40)) for i, name in enumerate(names)}
    write_proposals(tmp_path / "p.npz", proposals)
    found = training_roidb([voc], config, [tmp_path / "p.npz"])
    assert same(found, kept)
    assert found.means is not None
    assert np.array_equal(found.means, kept.means)


def test_flips_follow_within_each_set(voc: VocSet) -> None:
    config = Config().with_flat({"TRAIN.BG_THRESH_LO": 0.0})
    assert [entry.flipped for entry in training_roidb([voc, voc], config).entries] == ([False] * 8 + [True] * 8) * 2
    plain = training_roidb([voc], config.with_flat({"TRAIN.USE_FLIPPED": False, "TRAIN.BBOX_REG": False}))
    assert len(plain.entries) == 8
    assert plain.means is None


@pytest.mark.parametrize(("method", "count"), [("rpn", 4), ("MCG", 2)])
def test_other_methods_proposals_are_tidied(
    method: str, count: int, make_coco: Callable[..., tuple[Path, Path]], tmp_path: Path
) -> None:
    boxes = np.array([[30, 0, 49, 19], [30, 0, 49, 19], [5, 5, 6, 6]], np.float32)
    write_proposals(tmp_path / "p.npz", {"1": (boxes, np.ones(3))})
    source = CocoSet(*make_coco([(1, 3, [30, 0, 20, 20], {})]))
    assert len(training_roidb([source], Config(), [tmp_path / "p.npz"], method).entries[0].boxes) == count
