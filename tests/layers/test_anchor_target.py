from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers.anchor_target import AnchorTargetLayer
from recaffe.layers.base.layer import LayerError

INFO = torch.tensor([[70.0, 90.0, 1.5]])
TRUTHS = torch.tensor([[10.0, 12, 41, 43, 3], [50, 20, 69, 59, 1]])
TOPS = ("rpn_labels", "rpn_bbox_targets", "rpn_bbox_inside_weights", "rpn_bbox_outside_weights")


def layer(**keywords: Any) -> AnchorTargetLayer:
    return AnchorTargetLayer(**{"feat_stride": 8, "scales": (2, 3), "ratios": (0.5, 1, 2), **keywords})


def run(made: AnchorTargetLayer, truths: Tensor = TRUTHS, info: Tensor = INFO) -> tuple[Tensor, ...]:
    return made(torch.zeros(1, 12, 9, 11), truths, info, torch.zeros(1, 3, 1, 1))


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("anchor_target_000", {"feat_stride": 8, "scales": [2, 4, 8], "rpn_positive_weight": 0.3}),
        ("anchor_target_012", {"feat_stride": 16, "rpn_batchsize": 64, "rpn_fg_fraction": 0.1}),
        ("anchor_target_018", {"feat_stride": 16, "rpn_clobber_positives": True}),
        (
            "anchor_target_030",
            {"feat_stride": 16, "allowed_border": 16, "rpn_negative_overlap": 0.2, "rpn_positive_overlap": 0.5},
        ),
        ("rfcn_anchor_target_006", {"feat_stride": 16, "scales": [4, 8, 16, 32], "rpn_positive_weight": 0.3}),
    ],
)
def test_as_the_original(fixtures_dir: Path, name: str, keywords: dict[str, Any]) -> None:
    with np.load(fixtures_dir / "rpn" / f"{name}.npz") as golden:
        made = AnchorTargetLayer(**keywords, rng=np.random.RandomState(int(golden["rng_seed"])))
        bottoms = [torch.from_numpy(golden[f"bottom/{b}"]) for b in ("rpn_cls_score", "gt_boxes", "im_info", "data")]
        for blob, top in zip(TOPS, made(*bottoms), strict=True):
            expected = golden[f"top/{blob}"]
            assert top.shape == expected.shape
            np.testing.assert_allclose(top, expected, rtol=0, atol=1e-5 * np.abs(expected).max(), err_msg=blob)
            if blob == "rpn_labels":
                np.testing.assert_array_equal(top, expected)


def test_shapes_are_known_before_a_forward() -> None:
    made = layer()
    bottoms = [(1, 12, 9, 11), (1, 4), (1, 3), (1, 3, 70, 90)]
    made.setup(*bottoms, num_tops=4)
    assert made.top_shapes(*bottoms) == ((1, 1, 54, 11), *[(1, 24, 9, 11)] * 3)
    assert tuple(tuple(top.shape) for top in run(made)) == made.top_shapes(*bottoms)


def test_tops_are_float32_finite_and_without_gradient() -> None:
    scores = torch.zeros(1, 12, 9, 11, requires_grad=True)
    for top in layer()(scores, TRUTHS, INFO):
        assert top.dtype == torch.float32
        assert top.isfinite().all()
        assert not top.requires_grad


def test_the_same_seed_draws_the_same() -> None:
    draws = [run(layer(rpn_batchsize=20, rng=np.random.RandomState(seed)))[0] for seed in (7, 7, 8)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_weights_are_uniform_over_the_sample() -> None:
    labels, _, inside, outside = run(layer(rpn_batchsize=20, rpn_bbox_inside_weights=(1.0, 2.0, 0.5, 0.0)))
    assert int((labels >= 0).sum()) == 20
    label = labels.view(6, 9, 11).permute(1, 2, 0).flatten()
    weights = outside.permute(0, 2, 3, 1).reshape(-1, 4)
    assert torch.allclose(weights, (label >= 0).float()[:, None].expand(-1, 4) / 20)
    expected = (label == 1).float()[:, None] * torch.tensor([1.0, 2.0, 0.5, 0.0])
    assert torch.equal(inside.permute(0, 2, 3, 1).reshape(-1, 4), expected)


def test_positives_may_weigh_otherwise() -> None:
    labels, _, _, outside = run(layer(rpn_positive_weight=0.3))
    label = labels.view(6, 9, 11).permute(1, 2, 0).flatten()
    weights = outside.permute(0, 2, 3, 1).reshape(-1, 4)[:, 0]
    assert weights[label == 1].sum().item() == pytest.approx(0.3)
    assert weights[label == 0].sum().item() == pytest.approx(0.7)


def test_targets_are_normalised_where_asked() -> None:
    keywords = {"rpn_normalize_means": (0.1, 0.2, 0.3, 0.4), "rpn_normalize_stds": (0.5, 0.2, 0.1, 2.0)}
    plain, normal = run(layer())[1], run(layer(rpn_normalize_targets=True, **keywords))[1]
    means, stds = (torch.tensor(values).repeat(6)[None, :, None, None] for values in keywords.values())
    outside = (plain == 0).unflatten(1, (6, 4)).all(2, keepdim=True).expand(-1, -1, 4, -1, -1).flatten(1, 2)
    assert outside.any()
    assert torch.allclose(normal, torch.where(outside, 0.0, (plain - means) / stds), atol=1e-5)
    assert torch.equal(run(layer(**keywords))[1], plain)


@pytest.mark.parametrize("truths", [torch.zeros(0, 5), torch.tensor([[9.0, 9, 5, 20, 1], [0, 0, math.nan, 5, 2]])])
def test_without_a_usable_truth_anchors_are_negative(truths: Tensor) -> None:
    labels, targets, inside, outside = run(layer(), truths)
    assert set(labels.unique().tolist()) == {-1.0, 0.0}
    assert targets.count_nonzero() == inside.count_nonzero() == 0
    assert outside.sum().item() == pytest.approx(4)


def test_a_bad_truth_does_not_touch_the_others() -> None:
    bad = torch.tensor([[30.0, 30, 10, 40, 2], [0, math.nan, 5, 5, 1]])
    for top, expected in zip(run(layer(), torch.cat((bad, TRUTHS))), run(layer()), strict=True):
        assert torch.equal(top, expected)


@pytest.mark.parametrize("weight", [-1.0, 0.3])
def test_with_no_anchor_inside_nothing_is_labelled(weight: float) -> None:
    labels, *others = run(layer(rpn_positive_weight=weight), info=torch.tensor([[6.0, 7.0, 1.0]]))
    assert (labels == -1).all()
    assert all(top.count_nonzero() == 0 for top in others)


def test_trailing_axes_of_the_truths_do_not_matter() -> None:
    for top, expected in zip(run(layer(), TRUTHS[:, :, None, None]), run(layer()), strict=True):
        assert torch.equal(top, expected)


@pytest.mark.parametrize(
    ("batch", "truths", "info", "reason"),
    [
        (2, TRUTHS, INFO, "only single item batches are supported, got 2×12×9×11"),
        (1, TRUTHS[:, :4], INFO, "gt_boxes must be K×5 .* got 2×4"),
        (1, TRUTHS, INFO[:, :2], "im_info must be 1×3 .* got 1×2"),
        (1, TRUTHS, INFO[0], "im_info must be 1×3 .* got 3"),
        (1, TRUTHS, INFO * math.nan, "im_info must be finite"),
    ],
)
def test_wrong_bottoms_are_refused(batch: int, truths: Tensor, info: Tensor, reason: str) -> None:
    with pytest.raises(LayerError, match=reason):
        layer()(torch.zeros(batch, 12, 9, 11), truths, info)


@pytest.mark.parametrize("weight", [0.0, 1.0, 1.5])
def test_a_wrong_weight_is_refused(weight: float) -> None:
    with pytest.raises(LayerError, match="RPN_POSITIVE_WEIGHT"):
        layer(rpn_positive_weight=weight)
