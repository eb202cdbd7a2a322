"""Why a proposal fell: by size, by score, by overlap."""

from __future__ import annotations

import torch

from recaffe.golden.diagnosis.differences.roi_matching import match_rois
from recaffe.golden.diagnosis.margins import fates
from recaffe.layers.proposal import ProposalLayer

INFO = torch.tensor([[64.0, 96.0, 1.0]])


def layer(**keywords: float) -> ProposalLayer:
    """One anchor of 16 x 16 pixels a cell, 4 x 6 cells."""
    made = ProposalLayer(feat_stride=16, scales=[1], ratios=[1], rpn_min_size=8)
    for name, value in keywords.items():
        object.__setattr__(made.rule, name, value)
    return made


def bottoms(**scores: float) -> list[torch.Tensor]:
    """Scores by cell (`r1c2`), all other cells low and all boxes where their anchors are."""
    probabilities = torch.full((1, 2, 4, 6), 0.1)
    probabilities[0, 1] = torch.linspace(0.2, 0.1, 24).view(4, 6)
    for cell, score in scores.items():
        probabilities[0, 1, int(cell[1]), int(cell[3])] = score
    return [probabilities, torch.zeros(1, 4, 4, 6), INFO]


def told(made: ProposalLayer, golden: list[torch.Tensor], ours: list[torch.Tensor]) -> list[str]:
    (want, *_), (have, *_) = made(*golden), made(*ours)
    return [str(fate) for fate in fates(made, golden, ours, match_rois(want.numpy(), have.numpy(), 1e-3))]


def test_below_the_last_of_those_that_stay() -> None:
    golden, ours = bottoms(r1c2=0.9, r2c3=0.5), bottoms(r1c2=0.9, r2c4=0.75, r2c3=0.5)
    assert told(layer(post_nms=2), golden, ours) == [
        "golden's RoI 1, anchor (row 2, column 3, #0): in NET it is number 3 by score after NMS, 2 stay: "
        "0.25 below the last",
        "NET's RoI 1, anchor (row 2, column 4, #0): in the golden it is number 17 by score after NMS, 2 stay: "
        "0.37 below the last",
    ]
    lines = told(layer(pre_nms=2), golden, ours)
    assert "it is number 3 by score before NMS, 2 stay: 0.25 below the last" in lines[0]


def test_an_overlap() -> None:
    golden, ours = bottoms(r1c2=0.9, r1c3=0.8), bottoms(r1c2=0.9, r1c3=0.8)
    ours[1][0, 0, 1, 3] = -0.25  # the box of row 1, column 3 moves to the left by a quarter
    made = layer(nms_thresh=0.3, post_nms=2)
    ours[1][0, 0, 1, 3] = -0.5
    (lost, added) = told(made, golden, ours)
    assert lost.startswith("golden's RoI 1, anchor (row 1, column 3, #0): in NET it overlaps a better box by 0.3")
    assert lost.endswith(", threshold 0.3")
    assert added.startswith("NET's RoI 1, anchor (row 0, column 0, #0): in the golden it is number ")


def test_a_side_that_is_too_short() -> None:
    golden, ours = bottoms(r1c2=0.9), bottoms(r1c2=0.9)
    ours[1][0, 2, 1, 2] = -1.0
    lines = told(layer(post_nms=1), golden, ours)
    assert lines[0].startswith("golden's RoI 0, anchor (row 1, column 2, #0): in NET its side 6.8")
    assert lines[0].endswith(" is below 8")
