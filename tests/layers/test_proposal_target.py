from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers.base.layer import LayerError
from recaffe.layers.proposal_target import ProposalTargetLayer

TOPS = ("rois", "labels", "bbox_targets", "bbox_inside_weights", "bbox_outside_weights")
TRUTHS = torch.tensor([[10.0, 12, 41, 43, 3], [50, 20, 69, 59, 1]])
ROIS = torch.tensor(
    [[0, 12.0, 12, 43, 43], [0, 0, 0, 20, 20], [0, 50, 22, 69, 57], [0, 80, 80, 95, 95], [0, 30, 30, 65, 59]]
)


def layer(**keywords: Any) -> ProposalTargetLayer:
    return ProposalTargetLayer(**{"num_classes": 4, "bg_thresh_lo": 0.0, **keywords})


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        (
            "proposal_target_029",
            {"num_classes": 12, "bbox_normalize_targets_precomputed": True, "batch_size": 64, "fg_fraction": 0.5},
        ),
        ("proposal_target_017", {"num_classes": 8, "bbox_normalize_targets_precomputed": True}),
        ("proposal_target_026", {"num_classes": 16}),
        (
            "rfcn_proposal_target_002",
            {"num_classes": 2, "bbox_normalize_targets_precomputed": True, "batch_size": -1},
        ),
        ("rfcn_proposal_target_014", {"num_classes": 2, "bbox_normalize_targets_precomputed": True}),
    ],
)
def test_as_the_original(fixtures_dir: Path, name: str, keywords: dict[str, Any]) -> None:
    rfcn = {"variant": "rfcn", "agnostic": True} if name.startswith("rfcn") else {}
    with np.load(fixtures_dir / "rpn" / f"{name}.npz") as golden:
        made = layer(**keywords, **rfcn, rng=np.random.RandomState(int(golden["rng_seed"])))
        tops = made(*(torch.from_numpy(golden[f"bottom/{blob}"]) for blob in ("rpn_rois", "gt_boxes")))
        for blob, top in zip(TOPS, tops, strict=True):
            expected = golden[f"top/{blob}"]
            assert top.shape == expected.shape
            exact = blob != "bbox_targets"
            np.testing.assert_allclose(top, expected, 0, 0 if exact else 1e-5 * np.abs(expected).max(), err_msg=blob)


@pytest.mark.parametrize(("variant", "trailing"), [("frcnn", ()), ("rfcn", (1, 1))])
def test_shapes_before_a_forward_are_placeholders(variant: str, trailing: tuple[int, ...]) -> None:
    made = layer(variant=variant)
    made.setup((1, 5), (1, 4), num_tops=5)
    shapes = ((1, 5), (1, 1), (1, 16), (1, 16), (1, 16))
    assert made.top_shapes((1, 5), (1, 4)) == tuple((*shape, *trailing) for shape in shapes)


def test_foreground_has_its_truths_class_and_deltas() -> None:
    rois, labels, targets, inside, outside = layer(batch_size=-1, fg_thresh=0.8)(ROIS, TRUTHS)
    by_box = {tuple(roi.tolist()): row for row, roi in enumerate(rois)}
    assert len(rois) == 7
    assert labels[[by_box[tuple(ROIS[i].tolist())] for i in range(5)]].tolist() == [3, 0, 1, 0, 0]
    row = by_box[tuple(ROIS[2].tolist())]
    # 20 by 36 about (60, 40) onto 20 by 40 about (60, 40)
    assert torch.allclose(targets[row, 4:8], torch.tensor([0, 0, 0, math.log(40 / 36)]))
    assert targets[row].count_nonzero() == 1
    assert torch.equal(inside, outside)
    assert inside[row].tolist() == [0] * 4 + [1] * 4 + [0] * 8
    assert inside[labels == 0].count_nonzero() == targets[labels == 0].count_nonzero() == 0


def test_agnostic_targets_are_in_the_second_four() -> None:
    _, labels, targets, inside, _ = layer(batch_size=-1, agnostic=True)(ROIS, TRUTHS)
    assert set(labels.tolist()) == {0, 1, 3}
    assert torch.equal(inside[:, 4:8], (labels > 0).float()[:, None].expand(-1, 4))
    assert inside.sum() == 4 * (labels > 0).sum()
    assert targets[:, 8:].count_nonzero() == 0


def test_targets_are_normalised_and_weighted_where_asked() -> None:
    means, stds = (0.1, 0.2, 0.3, 0.4), (0.5, 0.2, 0.1, 2.0)
    keywords = {"bbox_normalize_means": means, "bbox_normalize_stds": stds, "bbox_inside_weights": (1.0, 0.0, 2.0, 0.5)}
    plain = layer(**keywords)(ROIS, TRUTHS)
    normal = layer(**keywords, bbox_normalize_targets_precomputed=True)(ROIS, TRUTHS)
    picked = normal[3].view(-1, 4, 4).any(dim=2)
    expected = (plain[2].view(-1, 4, 4)[picked] - torch.tensor(means)) / torch.tensor(stds)
    assert torch.allclose(normal[2].view(-1, 4, 4)[picked], expected, atol=1e-6)
    assert normal[3].view(-1, 4, 4)[picked].unique(dim=0).tolist() == [[1.0, 0.0, 2.0, 0.5]]
    assert torch.equal(normal[4], (normal[3] > 0).float())


def test_the_same_seed_draws_the_same() -> None:
    rois = torch.cat([ROIS] * 20) + torch.arange(100.0)[:, None] * torch.tensor([0, 0.1, 0.1, 0.1, 0.1])
    draws = [layer(batch_size=16, rng=np.random.RandomState(seed))(rois, TRUTHS)[0] for seed in (7, 7, 8)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("truths", [torch.zeros(0, 5), torch.tensor([[9.0, 9, 5, 20, 1], [0, 0, math.nan, 5, 2]])])
@pytest.mark.parametrize("low", [0.0, 0.1])
def test_without_a_usable_truth_all_is_background(truths: Tensor, low: float) -> None:
    rois, labels, *others = layer(bg_thresh_lo=low)(ROIS, truths)
    assert sorted(rois.tolist()) == sorted(ROIS.tolist())
    assert labels.tolist() == [0] * 5
    assert all(top.shape == (5, 16) and not top.any() for top in others)


@pytest.mark.parametrize(("variant", "trailing"), [("frcnn", ()), ("rfcn", (1, 1))])
def test_nothing_at_all_is_no_row(variant: str, trailing: tuple[int, ...]) -> None:
    tops = layer(variant=variant)(torch.zeros(0, 5), torch.zeros(0, 5))
    labels = (0,) if variant == "frcnn" else (0, 1, 1, 1)
    assert [tuple(top.shape) for top in tops] == [(0, 5, *trailing), labels, *[(0, 16, *trailing)] * 3]


def test_without_rois_the_truths_are_drawn() -> None:
    rois, labels, targets, *_ = layer()(torch.zeros(0, 5), TRUTHS)
    assert sorted(rois[:, 1:].tolist()) == TRUTHS[:, :4].tolist()
    assert sorted(labels.tolist()) == [1, 3]
    assert not targets.any()


def test_rois_that_are_not_finite_are_left_out() -> None:
    bad = torch.tensor([[0, math.nan, 0, 5, 5], [0, 0, 0, math.inf, 5]])
    expected = layer()(ROIS, TRUTHS)
    for top, same in zip(layer()(torch.cat((bad, ROIS)), TRUTHS), expected, strict=True):
        assert torch.equal(top, same)


def test_inverted_rois_are_background_without_nan() -> None:
    inverted = torch.tensor([[0, 30.0, 30, 20, 10]])
    rois, labels, targets, *_ = layer(batch_size=-1)(torch.cat((ROIS, inverted)), TRUTHS)
    assert labels[(rois == inverted).all(dim=1)].tolist() == [0]
    assert targets.isfinite().all()


def test_trailing_axes_do_not_matter_and_nothing_has_gradient() -> None:
    rois = ROIS.clone().requires_grad_()
    expected = layer()(ROIS, TRUTHS)
    for top, same in zip(layer()(rois[:, :, None, None], TRUTHS[:, :, None, None]), expected, strict=True):
        assert torch.equal(top, same)
        assert top.dtype == torch.float32
        assert not top.requires_grad


@pytest.mark.parametrize(
    ("rois", "truths", "reason"),
    [
        (ROIS + torch.tensor([1.0, 0, 0, 0, 0]), TRUTHS, "only single item batches are supported"),
        (ROIS[:, :4], TRUTHS, "rois must be R×5 .* got 5×4"),
        (ROIS, TRUTHS[:, :4], "gt_boxes must be K×5 .* got 2×4"),
        (ROIS, TRUTHS + torch.tensor([0.0, 0, 0, 0, 1]), "gt_boxes has class 4, but num_classes is 4"),
    ],
)
def test_wrong_bottoms_are_refused(rois: Tensor, truths: Tensor, reason: str) -> None:
    with pytest.raises(LayerError, match=reason):
        layer()(rois, truths)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(LayerError, match="num_classes counts the background too"):
        layer(num_classes=1)
    with pytest.raises(LayerError, match="BATCH_SIZE must be positive or -1"):
        layer(batch_size=0)
