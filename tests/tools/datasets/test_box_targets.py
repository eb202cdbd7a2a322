from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.box_targets import with_targets
from recaffe.tools.datasets.proposals import with_proposals
from recaffe.tools.datasets.roidb import Roidb, truth_roidb

from .conftest import close

Make = Callable[[str], tuple[Roidb, Roidb, Config]]


@pytest.mark.parametrize("name", ["fast_plain", "fast_agnostic_means"])
def test_they_are_the_originals(name: str, roidb_of: Make, golden: Callable[[str], dict[str, Any]]) -> None:
    file, (_, kept, _) = golden(f"roidb_{name}"), roidb_of(name)
    for k, entry in zip(file["filtered"], kept.entries, strict=True):
        assert entry.bbox_targets is not None
        assert np.array_equal(entry.bbox_targets[:, 0], file[f"{k}/bbox_targets"][:, 0])
        assert close(entry.bbox_targets, file[f"{k}/bbox_targets"])
    assert kept.means is not None
    assert kept.stds is not None
    assert close(kept.means.ravel(), file["means"])
    assert close(kept.stds.ravel(), file["stds"])


def test_precomputed_ones(make_voc: Callable[..., Path]) -> None:
    roidb = truth_roidb(VocSet(make_voc({"a": [("car", 11, 11, 30, 20)]}), "trainval", ["car"]))
    roidb = with_proposals(roidb, [np.array([[10, 10, 29, 17]], np.float32)])
    config = Config().with_flat({"TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED": True})
    found = with_targets(roidb, config)
    assert found.means is not None
    assert found.stds is not None
    assert found.means.tolist() == [[0, 0, 0, 0]] * 2
    assert found.stds.tolist() == [[0.1, 0.1, 0.2, 0.2]] * 2
    (entry,) = found.entries
    assert entry.bbox_targets is not None
    assert np.allclose(entry.bbox_targets, [[1, 0, 0, 0, 0], [1, 0, 1 / 8 / 0.1, 0, np.log(10 / 8) / 0.2]], atol=1e-6)


def test_equal_targets_become_0_and_never_nan(make_voc: Callable[..., Path]) -> None:
    roidb = truth_roidb(VocSet(make_voc({"a": [("car", 11, 11, 30, 20)]}), "trainval", ["bus", "car"]))
    found = with_targets(roidb, Config())
    assert found.stds is not None
    assert not found.stds.any()
    assert found.entries[0].bbox_targets is not None
    assert found.entries[0].bbox_targets.tolist() == [[2, 0, 0, 0, 0]]
