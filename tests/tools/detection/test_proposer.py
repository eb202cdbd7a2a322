"""An RPN alone gives the originals' imdb_proposals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.proposer import Proposer

from .conftest import Golden, close


def test_im_proposals(folder: Path, golden: Callable[[str], Golden], voc: VocSet) -> None:
    want, nets = golden("proposals_rpn"), folder / "nets"
    config = Config.default().with_flat(json.loads(str(want["cfg"])))
    weights = nets / "frcnn.caffemodel"
    proposer = Proposer(
        Net.from_prototxt(nets / "rpn.prototxt", weights=weights, config=config, allow=Allow(unused=True))
    )
    pictures = voc.pictures()
    assert [picture.name for picture in pictures] == want["image_index"].tolist()
    for number, picture in enumerate(pictures):
        boxes, scores = proposer(picture.path)
        assert boxes.dtype == np.float32
        assert close(boxes, want[f"{number}/boxes"])
        assert close(scores[:, None], want[f"{number}/scores"])


def test_a_whole_detector_proposes_too(folder: Path, voc: VocSet, config_of: Callable[[str], Config]) -> None:
    """Without a second top of its proposal layer there are no scores."""
    nets, config = folder / "nets", config_of("frcnn")
    net = Net.from_prototxt(nets / "frcnn.prototxt", weights=nets / "frcnn.caffemodel", config=config)
    boxes, scores = Proposer(net)(voc.pictures()[0].path)
    assert boxes.shape == (30, 4)
    assert np.isnan(scores).all()


def test_a_net_without_an_rpn_is_refused(folder: Path, config_of: Callable[[str], Config]) -> None:
    with pytest.raises(DetectionError) as error:
        Proposer(Net.from_prototxt(folder / "nets" / "fast.prototxt"))
    assert str(error.value) == "net 'tiny_frcnn' proposes nothing: it needs input im_info and blob rois"
