from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from recaffe.layers.boxes.anchors import all_anchors, yx_anchors
from recaffe.layers.boxes.creators import AnchorTargetCreator, ProposalCreator, ProposalTargetCreator

SIZE = (300, 400)
TRUTHS = torch.tensor([[20.0, 30, 200, 190], [100, 220, 280, 390]])


def anchors() -> Tensor:
    return all_anchors(yx_anchors(), 18, 25, 16, y_first=True)


def test_anchor_targets_are_labelled_and_sampled() -> None:
    targets, labels = AnchorTargetCreator(rng=np.random.RandomState(4))(TRUTHS, anchors(), SIZE)
    assert targets.shape == (18 * 25 * 9, 4)
    assert labels.dtype == torch.int32
    assert int((labels >= 0).sum()) == 256
    assert 0 < int((labels == 1).sum()) <= 128
    row = int((labels == 1).nonzero()[0])
    y1, x1, y2, x2 = anchors()[row].tolist()
    back = targets[row].tolist()
    centre = (y1 + y2) / 2 + back[0] * (y2 - y1), (x1 + x2) / 2 + back[1] * (x2 - x1)
    size = (y2 - y1) * math.exp(back[2]), (x2 - x1) * math.exp(back[3])
    found = [centre[0] - size[0] / 2, centre[1] - size[1] / 2, centre[0] + size[0] / 2, centre[1] + size[1] / 2]
    assert any(np.allclose(found, truth, atol=1e-2) for truth in TRUTHS.tolist())


def test_an_anchor_on_the_pictures_edge_is_inside() -> None:
    edge = torch.tensor([[0.0, 0, 300, 400], [0, 0, 300, 401], [0, 0, 301, 400]])
    assert AnchorTargetCreator()(TRUTHS, edge, SIZE)[1].tolist() == [1, -1, -1]


def test_without_truths_anchors_are_negative() -> None:
    targets, labels = AnchorTargetCreator()(torch.zeros(0, 4), anchors(), SIZE)
    assert set(labels.tolist()) == {-1, 0}
    assert not targets.any()


def test_proposals_are_clipped_to_the_edges_and_limited() -> None:
    model = nn.Identity()
    boxes = torch.tensor([[-10.0, -20, 350, 500], [50, 60, 66, 75], [50, 60, 66, 76], [50, 60, 90, 100]])
    scores = torch.tensor([0.4, 0.9, 0.8, 0.7])
    propose = ProposalCreator(model, n_train_post_nms=2)
    assert propose(torch.zeros(4, 4), scores, boxes, SIZE).tolist() == [[50, 60, 66, 76], [50, 60, 90, 100]]
    model.eval()
    found = propose(torch.zeros(4, 4), scores, boxes, SIZE)
    assert found.tolist() == [[50, 60, 66, 76], [50, 60, 90, 100], [0, 0, 300, 400]]
    assert propose(torch.zeros(4, 4), scores, boxes, SIZE, scale=20.0).shape == (0, 4)


def test_an_overlap_at_the_threshold_stays() -> None:
    boxes = torch.tensor([[0.0, 0, 40, 40], [0, 0, 20, 40]])
    propose = ProposalCreator(nn.Identity(), nms_thresh=0.5)
    assert len(propose(torch.zeros(2, 4), torch.tensor([0.9, 0.8]), boxes, SIZE)) == 2


def test_head_targets_count_classes_from_one() -> None:
    rois = torch.tensor([[20.0, 30, 200, 180], [0, 0, 30, 30], [5, 5, 5, 9], [math.nan, 0, 1, 1]])
    create = ProposalTargetCreator(rng=np.random.RandomState(4))
    found, targets, labels = create(rois, TRUTHS, torch.tensor([6, 0]))
    assert sorted(zip(found[:, 3].tolist(), labels.tolist(), strict=True)) == [(30, 0), (180, 7), (190, 7), (390, 1)]
    row = int((found[:, 3] == 180).nonzero())
    # centres (110, 105) and (110, 110), widths 150 and 160, over the deviations
    assert_close(targets[row], torch.tensor([0, 5 / 150 / 0.1, 0, math.log(160 / 150) / 0.2]), atol=1e-5, rtol=1e-5)
    assert targets.isfinite().all()


def test_without_truths_rois_are_background() -> None:
    rois = torch.tensor([[20.0, 30, 200, 180], [0, 0, 30, 30]])
    found, targets, labels = ProposalTargetCreator()(rois, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    assert sorted(found.tolist()) == sorted(rois.tolist())
    assert not labels.any()
    assert not targets.any()
