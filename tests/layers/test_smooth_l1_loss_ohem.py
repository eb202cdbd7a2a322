from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from recaffe.layers.base.layer import LayerError
from recaffe.layers.smooth_l1_loss_ohem import SmoothL1LossOHEMLayer

from .conftest import CheckGradients

GOLDEN = [
    ({}, ("bbox_inside_weights", "temp_loss_bbox", "per_roi_loss_bbox")),
    ({"normalization": "PRE_FIXED", "pre_fixed_normalizer": 32}, ("bbox_loss_weights_ohem", "loss_bbox")),
]


@pytest.mark.parametrize(("keywords", "names"), GOLDEN)
def test_caffe_agrees(fixtures_dir: Path, keywords: dict[str, Any], names: tuple[str, ...]) -> None:
    with np.load(fixtures_dir / "nets" / "rfcn_train_ohem.npz") as archive:
        x, target, weights, *golden = (
            torch.from_numpy(archive[f"top/{name}"]) for name in ("bbox_pred", "bbox_targets", *names)
        )
        diff = torch.from_numpy(archive["diff/bbox_pred"])
    layer = SmoothL1LossOHEMLayer(**keywords)
    layer.setup(*(tuple(b.shape) for b in (x, target, weights)), num_tops=len(golden))
    tops = layer(x.requires_grad_(), target, weights)
    for ours, theirs in zip(tops, golden, strict=True):
        assert_close(ours.detach(), theirs, rtol=0, atol=1e-5 * theirs.abs().max().item())
    if keywords:
        tops[0].backward()
        assert x.grad is not None
        assert_close(x.grad, diff, rtol=0, atol=1e-4 * diff.abs().max().item())


@pytest.mark.parametrize(
    ("keywords", "divisor"),
    [
        ({}, 40),
        ({"normalization": "FULL"}, 40),
        ({"normalization": "BATCH_SIZE"}, 2),
        ({"normalization": "NONE"}, 1),
        ({"normalization": "PRE_FIXED", "pre_fixed_normalizer": 128}, 128),
        ({"normalization": "PRE_FIXED", "pre_fixed_normalizer": 0.5}, 1),
        ({"normalize": True}, 40),
        ({"normalize": False}, 2),
    ],
)
def test_every_divisor(keywords: dict[str, Any], divisor: float) -> None:
    """Of H * W places, whatever the channels and the ignored label."""
    x, target = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    expected = torch.nn.functional.smooth_l1_loss(x, target, reduction="none")
    layer = SmoothL1LossOHEMLayer(ignore_label=0, **keywords)
    layer.setup((2, 3, 4, 5), (2, 3, 4, 5), num_tops=2)
    assert layer.top_shapes((2, 3, 4, 5), (2, 3, 4, 5)) == ((), (2, 1, 4, 5))
    loss, losses = layer(x, target)
    assert_close(loss, expected.sum() / divisor)
    assert_close(losses, expected.sum(1, keepdim=True))


def test_gradients_without_weights(check_gradients: CheckGradients) -> None:
    check_gradients(SmoothL1LossOHEMLayer(), (2, 3, 4, 5), (2, 3, 4, 5), num_tops=2)


def test_the_gradient_lacks_a_factor_of_the_weights() -> None:
    x = torch.tensor([[0.1, 3.0, -0.2]], requires_grad=True)
    target, weights = torch.zeros(1, 3, requires_grad=True), torch.tensor([[2.0, 0.5, 0.0]], requires_grad=True)
    (loss,) = SmoothL1LossOHEMLayer()(x, target, weights)
    assert loss.item() == pytest.approx(0.02 + 1.0)
    loss.backward()
    assert x.grad is not None
    assert target.grad is not None
    assert_close(x.grad, torch.tensor([[0.2, 1.0, 0.0]]))
    assert torch.equal(target.grad, -x.grad)
    assert weights.grad is None


def test_axes_of_one_may_be_left_out() -> None:
    x, target = torch.randn(6, 8), torch.randn(6, 8, 1, 1)
    layer = SmoothL1LossOHEMLayer()
    layer.setup((6, 8), (6, 8, 1, 1), num_tops=2)
    loss, losses = layer(x, target)
    assert losses.shape == (6, 1, 1, 1)
    assert_close(loss, losses.sum() / 6)


def test_no_rois_are_no_loss() -> None:
    x = torch.empty(0, 8, 1, 1, requires_grad=True)
    (loss,) = SmoothL1LossOHEMLayer()(x, torch.empty(0, 8, 1, 1))
    assert loss.item() == 0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LayerError, match="takes bottoms of one shape, got 2×3×1×1 and, as bottom 1, 2×4×1×1"):
        SmoothL1LossOHEMLayer()(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(LayerError, match=r"takes 2 to 3 bottom blob\(s\), got 4"):
        SmoothL1LossOHEMLayer().setup(*[(2, 3)] * 4)
