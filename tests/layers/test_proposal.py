from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers.base.layer import LayerError
from recaffe.layers.proposal import ProposalLayer

INFO = torch.tensor([[60.0, 80.0, 2.0]])
H, W, A = 5, 7, 6


def layer(**keywords: Any) -> ProposalLayer:
    made = ProposalLayer(**{"feat_stride": 8, "scales": (1, 2), "rpn_min_size": 2, **keywords})
    made.setup((1, 2 * A, H, W), (1, 4 * A, H, W), (1, 3), num_tops=2)
    return made


def scores_and_deltas() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    scores = torch.randperm(2 * A * H * W, generator=generator).float().view(1, 2 * A, H, W) / (2 * A * H * W)
    return scores, 0.3 * torch.randn(1, 4 * A, H, W, generator=generator)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("proposal_004", {"scales": [2, 4, 8], "phase": "TRAIN", "rpn_pre_nms_top_n": 500, "rpn_post_nms_top_n": 40}),
        ("proposal_010", {"rpn_pre_nms_top_n": 0, "rpn_post_nms_top_n": 0}),
        ("rfcn_proposal_001", {"rpn_min_size": 4, "rpn_nms_thresh": 0.5}),
    ],
)
def test_as_the_original(fixtures_dir: Path, name: str, keywords: dict[str, Any]) -> None:
    with np.load(fixtures_dir / "rpn" / f"{name}.npz") as golden:
        names = ("rpn_cls_prob_reshape", "rpn_bbox_pred", "im_info")
        bottoms = [torch.from_numpy(golden[f"bottom/{blob}"]) for blob in names]
        made = ProposalLayer(feat_stride=16, **keywords)
        made.setup(*(tuple(blob.shape) for blob in bottoms), num_tops=2)
        rois, scores = made(*bottoms)
        assert rois.shape == golden["top/rois"].shape
        np.testing.assert_array_equal(scores, golden["top/scores"])
        np.testing.assert_allclose(rois, golden["top/rois"], rtol=0, atol=1e-5 * golden["top/rois"].max())


def test_shapes_before_a_forward_are_placeholders() -> None:
    made = ProposalLayer(feat_stride=16)
    bottoms = (1, 18, 38, 63), (1, 36, 38, 63), (1, 3)
    made.setup(*bottoms)
    assert made.top_shapes(*bottoms) == ((1, 5),)
    made.setup(*bottoms, num_tops=2)
    assert made.top_shapes(*bottoms) == ((1, 5), (1, 1, 1, 1))


@pytest.mark.parametrize(("phase", "before", "after"), [("TRAIN", 12000, 2000), ("TEST", 6000, 300)])
def test_each_phase_has_its_own_limits(phase: str, before: int, after: int) -> None:
    rule = ProposalLayer(feat_stride=16, phase=phase).rule
    assert (rule.pre_nms, rule.post_nms, rule.nms_thresh, rule.min_size) == (before, after, 0.7, 16)


def test_one_anchor_moved_and_clipped() -> None:
    # The only scale is 1 and the only ratio 1: the anchor of cell (h, w) is (8w, 8h, 8w + 15, 8h + 15).
    made = ProposalLayer(feat_stride=8, scales=(1,), ratios=(1,), rpn_min_size=1, rpn_nms_thresh=2.0)
    made.setup((1, 2, 2, 3), (1, 4, 2, 3), (1, 3), num_tops=2)
    deltas = torch.zeros(1, 4, 2, 3)
    deltas[0, :, 1, 2] = torch.tensor([0.5, -0.25, math.log(2), math.log(0.5)])
    scores = torch.zeros(1, 2, 2, 3)
    scores[0, 1] = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.9]])
    rois, best = made(scores, deltas, torch.tensor([[20.0, 40.0, 1.0]]))
    # centre (24, 16) + (8, -4), 32 wide and 8 high, the right edge cut at 39
    assert torch.allclose(rois[0], torch.tensor([0.0, 16, 8, 39, 16]))
    assert best.flatten().tolist() == pytest.approx([0.9, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert rois[5].tolist() == [0, 0, 0, 16, 16]  # an unmoved anchor ends one past its last pixel


def test_scores_are_those_of_the_second_half_and_descend() -> None:
    scores, deltas = scores_and_deltas()
    rois, best = layer()(scores, deltas, INFO)
    assert (best[:-1] > best[1:]).all()
    assert np.isin(best.numpy(), scores[:, A:].numpy()).all()
    assert (rois[:, 0] == 0).all()
    assert (rois[:, 3] <= 79).all()
    assert (rois[:, 4] <= 59).all()


def test_stages_lead_to_the_proposals_whole_or_not() -> None:
    made = layer(rpn_pre_nms_top_n=50, rpn_post_nms_top_n=7)
    scores, deltas = scores_and_deltas()
    anchors, moves, flat = made.rows(scores, deltas)
    short, whole = (made.rule.stages(anchors, moves, flat, *INFO[0].tolist(), whole=w) for w in (False, True))
    assert [len(stage) for stage in (short.order, short.first, short.survivors, short.kept)] == [50, 50, 7, 7]
    assert len(whole.order) > len(whole.first) > len(whole.survivors) > len(whole.kept)
    assert torch.equal(whole.first, short.first)
    assert torch.equal(whole.kept, short.kept)
    assert torch.equal(made(scores, deltas, INFO)[0][:, 1:], whole.moved[whole.kept])


def test_small_boxes_go() -> None:
    scores, deltas = scores_and_deltas()
    rois, _ = layer(rpn_min_size=9)(scores, deltas, INFO)
    assert 0 < len(rois) < len(layer()(scores, deltas, INFO)[0])
    assert (rois[:, 3:] - rois[:, 1:3] + 1 >= 18).all()


def test_equal_scores_come_in_the_order_of_anchors() -> None:
    made = ProposalLayer(feat_stride=40, scales=(1,), ratios=(1,), rpn_post_nms_top_n=4)
    made.setup((1, 2, 2, 3), (1, 4, 2, 3), (1, 3))
    (rois,) = made(torch.full((1, 2, 2, 3), 0.5), torch.zeros(1, 4, 2, 3), torch.tensor([[90.0, 130.0, 1.0]]))
    assert rois[:, 1:3].tolist() == [[0, 0], [40, 0], [80, 0], [0, 40]]


def test_an_overlap_at_the_threshold_falls_on_a_cpu_only() -> None:
    # Anchors 16 wide, 8 apart: cut to the picture, overlaps are exactly 1/2.
    scores = torch.tensor([0.0, 0, 0.9, 0.8]).view(1, 2, 1, 2)
    deltas = torch.zeros(1, 4, 1, 2)
    info = torch.tensor([[16.0, 16.0, 1.0]])
    kept = []
    for gpu in (False, True):
        made = ProposalLayer(8, (1,), (1,), rpn_nms_thresh=0.5, rpn_min_size=8, use_gpu_nms=gpu)
        made.setup((1, 2, 1, 2), (1, 4, 1, 2), (1, 3))
        kept.append(len(made(scores, deltas, info)[0]))
    assert kept == [1, 2]


def test_deltas_are_turned_back_in_train_only() -> None:
    scores, deltas = scores_and_deltas()
    means, stds = (0.1, -0.1, 0.05, 0.0), (0.5, 0.25, 0.5, 0.3)
    turned = deltas * torch.tensor(stds).repeat(A)[None, :, None, None]
    turned += torch.tensor(means).repeat(A)[None, :, None, None]
    keywords = {"rpn_normalize_targets": True, "rpn_normalize_means": means, "rpn_normalize_stds": stds}
    train = layer(phase="TRAIN", **keywords)(scores, deltas, INFO)
    assert torch.allclose(train[0], layer(phase="TRAIN")(scores, turned, INFO)[0], atol=1e-4)
    test = layer(**keywords)(scores, deltas, INFO)
    assert torch.equal(test[0], layer()(scores, deltas, INFO)[0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["scores", "deltas"])
def test_what_is_not_finite_is_never_kept(bad: float, where: str) -> None:
    scores, deltas = scores_and_deltas()
    scores[0, A + 1, 2, 3] = 0.999
    clean = layer()(scores, deltas, INFO)
    if where == "scores":
        scores[0, A + 1, 2, 3] = bad
    else:
        deltas[0, 4 * 1 + 2, 2, 3] = bad
    rois, best = layer()(scores, deltas, INFO)
    assert clean[1][0] == pytest.approx(0.999)
    assert best.max() < 0.999
    assert rois.isfinite().all()
    assert best.isfinite().all()


@pytest.mark.parametrize("factor", [1.0, math.nan])
def test_no_box_left_is_no_row(factor: float) -> None:
    scores, deltas = scores_and_deltas()
    rois, best = layer(rpn_min_size=90)(scores, factor * deltas, INFO)
    assert rois.shape == (0, 5)
    assert best.shape == (0, 1)


def test_the_layout_in_memory_does_not_matter_and_bottoms_stay() -> None:
    scores, deltas = scores_and_deltas()
    copies = scores.clone(), deltas.clone()
    plain = layer()(scores, deltas, INFO)
    last = [blob.to(memory_format=torch.channels_last).requires_grad_() for blob in (scores, deltas)]
    for top, expected in zip(layer()(*last, INFO), plain, strict=True):
        assert torch.equal(top, expected)
        assert not top.requires_grad
    assert torch.equal(scores, copies[0])
    assert torch.equal(deltas, copies[1])


@pytest.mark.parametrize(
    ("scores", "deltas", "reason"),
    [
        ((1, 18, H, W), (1, 24, H, W), "6 anchors a cell want 2×6 channels of probabilities and 4×6 of deltas, got 18"),
        ((1, 12, H, W), (1, 36, H, W), "got 12 and 36: check 'scales' and 'ratios'"),
        ((1, 12, H, W), (1, 24, W, H), "of one map"),
    ],
)
def test_wrong_channels_are_refused_at_setup(scores: tuple[int, ...], deltas: tuple[int, ...], reason: str) -> None:
    with pytest.raises(LayerError, match=reason):
        ProposalLayer(feat_stride=8, scales=(1, 2)).setup(scores, deltas, (1, 3))


def test_wrong_bottoms_are_refused() -> None:
    scores, deltas = scores_and_deltas()
    with pytest.raises(LayerError, match="only single item batches are supported, got 2×12×5×7"):
        layer()(scores.repeat(2, 1, 1, 1), deltas.repeat(2, 1, 1, 1), INFO)
    with pytest.raises(LayerError, match="im_info must be 1×3"):
        layer()(scores, deltas, INFO[:, :2])
    with pytest.raises(LayerError, match="phase must be TRAIN or TEST"):
        ProposalLayer(feat_stride=8, phase="train")
