"""Means and deviations of the RPN's targets, as py-R-FCN's imdb_rpn_compute_stats gave them for these pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import NetText, print_text, read_net
from recaffe.prototxt.zoo.catalog import make_net
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.training import training_roidb
from recaffe.tools.training.alternating.plan import RFCN
from recaffe.tools.training.alternating.rpn_spread import rpn_spread
from recaffe.tools.training.errors import TrainingError

VOC = Path(__file__).parents[4] / "golden" / "fixtures" / "detection" / "VOCdevkit2007"
MEANS = [-0.01599891, -0.01929967, -0.26810867, -0.46463746]
STDS = [0.10615382, 0.13777924, 0.22703196, 0.34677592]
SIZES = {
    f"{phase}.{key}": value for phase in ("TRAIN", "TEST") for key, value in (("SCALES", [200]), ("MAX_SIZE", 300))
}


def net_of(scheme: str, phase: str) -> NetText:
    return read_net(print_text(make_net("resnet50", scheme, phase)))


def test_they_are_the_originals() -> None:
    config = Config.default("rfcn").with_flat({**RFCN.config, **SIZES, **RFCN.steps[0].config})
    roidb = training_roidb([VocSet(VOC, "trainval")], config)
    train, test = net_of("stage1-rpn", "TRAIN"), net_of("stage1-rpn", "TEST")
    means, stds = rpn_spread(train, test, roidb, config)
    # Theirs were summed up in float32.
    np.testing.assert_allclose([*means, *stds], [*MEANS, *STDS], rtol=0, atol=1e-7)
    with pytest.raises(TrainingError, match=r"^no anchor lies within a picture that has objects: "):
        rpn_spread(train, test, replace(roidb, entries=()), config)
    with pytest.raises(TrainingError, match=r"has 0 AnchorTargetLayers, and one is to be measured$"):
        rpn_spread(test, test, roidb, config)
