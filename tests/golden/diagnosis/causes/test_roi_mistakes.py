"""Boxes made, rounded or dropped in another way than the golden's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from recaffe.golden.diagnosis.causes.rule import altered
from recaffe.golden.diagnosis.findings import Cause
from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject
from recaffe.layers.base.layer import Layer
from recaffe.layers.boxes import arithmetic as boxes
from recaffe.layers.boxes.nms import by_score
from recaffe.layers.proposal import ProposalLayer

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
Broken = Callable[..., dict[str, Cause]]
PROPOSAL = Fixture.load(FIXTURES / "rpn" / "proposal_004.npz")


def tops_of(fixture: Fixture, change: Callable[[Any], Layer] = lambda layer: layer) -> dict[str, Any]:
    """What the last layer of a fixture's net gives with a change."""
    net = Subject().build(fixture)
    node, layer = net.nodes[-1], change(net.steps[-1].layer)
    tops = layer(*(torch.from_numpy(np.array(fixture.bottoms[blob])) for blob in node.bottoms))
    return {name: top.numpy() for name, top in zip(node.tops, tops, strict=True)}


def with_tie(fixture: Fixture) -> Fixture:
    """The scene with a threshold that is exactly the overlap of two boxes which both might be kept."""
    layer = cast(ProposalLayer, Subject().build(fixture).steps[-1].layer)
    scores_and_deltas = (torch.from_numpy(fixture.bottoms[name]) for name in ("rpn_cls_prob_reshape", "rpn_bbox_pred"))
    anchors, deltas, scores = layer.rows(*scores_and_deltas)
    moved = boxes.clip(boxes.transform_inv(anchors, deltas), *map(float, fixture.bottoms["im_info"][0, :2]))
    best = moved[by_score(scores, 100)]
    overlaps = boxes.pairwise(best[:, None], best[None], 1.0).triu(1)
    for threshold in overlaps[(overlaps > 0.3) & (overlaps < 0.9)].tolist():
        tied = replace(fixture, config=fixture.config | {"TRAIN.RPN_NMS_THRESH": threshold})
        kept = tops_of(tied), tops_of(tied, lambda it: altered(it, rule=replace(it.rule, inclusive=False)))
        if kept[0]["rois"].shape != kept[1]["rois"].shape or (kept[0]["rois"] != kept[1]["rois"]).any():
            return replace(tied, tops=kept[1])
    raise AssertionError("no threshold decides")


def test_nms_at_the_threshold(broken: Broken) -> None:
    causes = broken(with_tie(PROPOSAL))
    assert causes["NMS > or >="].text == (
        "in the golden a box falls at an overlap > (the originals on a GPU) the threshold, "
        "in NET >= (the originals on a CPU)"
    )


@pytest.mark.parametrize("name", ["proposal_004", "anchor_target_012", "proposal_target_017", "proposal_target_026"])
def test_widths_without_1(name: str, broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = Fixture.load(FIXTURES / "rpn" / f"{name}.npz")
    if name.startswith("proposal_target"):
        monkeypatch.setattr(boxes, "transform", partial(boxes.transform, plus=0.0))
        other = tops_of(fixture)
        monkeypatch.undo()
    else:
        other = tops_of(fixture, lambda layer: altered(layer, rule=replace(layer.rule, plus=0.0)))
    assert list(broken(fixture, golden=other)) == ["+1 widths"]


@pytest.mark.parametrize(
    ("size", "words"), [(0.0, "is not minded"), (16 / 1.0168388, "is not multiplied by the image's scale")]
)
def test_the_least_size(size: float, words: str, broken: Broken) -> None:
    fixture = replace(PROPOSAL, config=PROPOSAL.config | {"TRAIN.RPN_POST_NMS_TOP_N": 0, "TRAIN.RPN_NMS_THRESH": 0.9})
    fixture = replace(fixture, bottoms=fixture.bottoms | {"im_info": np.float32([[191, 485, 1.0168388]])})
    # Deltas that make some boxes about 16 wide.
    deltas = fixture.bottoms["rpn_bbox_pred"].copy()
    deltas[:, 2::4] = np.linspace(-1.5, 0, deltas[:, 2::4].size, dtype=np.float32).reshape(deltas[:, 2::4].shape)
    fixture = replace(fixture, bottoms=fixture.bottoms | {"rpn_bbox_pred": deltas})
    other = tops_of(fixture, lambda layer: altered(layer, rule=replace(layer.rule, min_size=size)))
    causes = broken(fixture, golden=other)
    assert causes["the size below which boxes fall"].text == f"in the golden RPN_MIN_SIZE {words}"


def test_how_many_are_kept(broken: Broken) -> None:
    causes = broken("rpn/proposal_010", config={"TEST.RPN_POST_NMS_TOP_N": 100, "TEST.RPN_PRE_NMS_TOP_N": 1000})
    assert "prototxt" in causes
    config = PROPOSAL.config | {"TRAIN.RPN_PRE_NMS_TOP_N": 12000, "TRAIN.RPN_POST_NMS_TOP_N": 2000}
    golden = tops_of(replace(PROPOSAL, config=config))
    causes = broken(PROPOSAL, golden=golden)
    assert "12000 boxes before NMS and 2000 after it" in causes["how many boxes are kept"].text


def test_normalised_targets(broken: Broken) -> None:
    plain, normalised = (
        {"TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED": False},
        {"TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED": True},
    )
    causes = broken("rpn/proposal_target_017", config=plain)
    assert causes["normalised box targets"].text == "the golden's box targets are normalised, NET's plain"
    causes = broken("rpn/proposal_target_026", config=normalised)
    assert causes["normalised box targets"].text == "the golden's box targets are plain, NET's normalised"


@pytest.mark.parametrize("name", ["roi_pool_7", "psroi_7"])
def test_rounding_half_to_even(name: str, broken: Broken) -> None:
    fixture = Fixture.load(FIXTURES / "layers" / f"{name}.npz")
    scale = 1 / 16 if name == "roi_pool_7" else 1.0
    rois = fixture.bottoms["rois"].copy()
    rois[:, 1:] = (np.floor(rois[:, 1:] * scale) + 0.5) / scale
    even = rois.copy()
    even[:, 1:] = np.round(rois[:, 1:] * scale) / scale
    other = tops_of(replace(fixture, bottoms=fixture.bottoms | {"rois": even}))
    fixture = replace(fixture, bottoms=fixture.bottoms | {"rois": rois}, diffs={}, param_diffs={}, top_diffs={})
    assert list(broken(fixture, golden=other)) == ["rounding half to even"]
