from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers.base.layer import LayerError
from recaffe.layers.box_annotator_ohem import BoxAnnotatorOHEMLayer


def run(layer: BoxAnnotatorOHEMLayer, *bottoms: Tensor) -> tuple[Tensor, ...]:
    shapes = [tuple(bottom.shape) for bottom in bottoms]
    layer.setup(*shapes, num_tops=2)
    tops = layer(*bottoms)
    assert tuple(tuple(top.shape) for top in tops) == layer.top_shapes(*shapes)
    return tops


def blobs(image: list[float], loss: list[float]) -> list[Tensor]:
    """R-FCN's four bottoms: labels count from 10, box weights from 100."""
    rois = torch.cat((torch.tensor(image)[:, None], torch.rand(len(image), 4)), dim=1)
    labels, weights = torch.arange(len(image)) + 10.0, torch.arange(8.0 * len(image)).view(-1, 8) + 100
    return [b.reshape(len(image), -1, 1, 1) for b in (rois, torch.tensor(loss), labels, weights)]


def test_caffe_agrees(fixtures_dir: Path) -> None:
    names = ("rois", "per_roi_loss", "labels", "bbox_inside_weights", "labels_ohem", "bbox_loss_weights_ohem")
    with np.load(fixtures_dir / "nets" / "rfcn_train_ohem.npz") as archive:
        *bottoms, labels, weights = (torch.from_numpy(archive[f"top/{name}"]) for name in names)
    ours = run(BoxAnnotatorOHEMLayer(roi_per_img=32), *bottoms)
    assert (labels >= 0).sum() == 32
    assert torch.equal(ours[0], labels)
    assert torch.equal(ours[1], weights)


def test_every_image_keeps_its_hardest() -> None:
    bottoms = blobs([1, 0, 1, 1, 0, 1, 2], [0.5, 0.1, 0.9, 0.2, 0.3, 0.7, 0.0])
    labels, weights = run(BoxAnnotatorOHEMLayer(roi_per_img=2, ignore_label=-3), *bottoms)
    assert labels.flatten().tolist() == [-3, 11, 12, -3, 14, 15, 16]
    kept = torch.tensor([False, True, True, False, True, True, True])
    assert torch.equal(weights[kept], bottoms[3][kept])
    assert not weights[~kept].any()


def test_of_equal_losses_the_first_are_kept() -> None:
    labels, _ = run(BoxAnnotatorOHEMLayer(roi_per_img=3), *blobs([0] * 40, [0.5] * 39 + [0.6]))
    assert (labels.flatten() >= 0).nonzero().flatten().tolist() == [0, 1, 39]


def test_bottoms_with_trailing_axes_left_out() -> None:
    bottoms = blobs([0, 0, 0], [0.1, 0.3, 0.2])
    tops = run(BoxAnnotatorOHEMLayer(roi_per_img=1), *bottoms)
    flat = bottoms[0].flatten(1), bottoms[1].flatten(), bottoms[2].flatten(), bottoms[3].flatten(1)
    for top, expected in zip(run(BoxAnnotatorOHEMLayer(roi_per_img=1), *flat), tops, strict=True):
        assert torch.equal(top, expected)


def test_rois_of_more_than_one_place() -> None:
    rois, loss = torch.zeros(2, 5, 3, 4), torch.arange(24.0).view(2, 1, 3, 4)
    rois[:, 0, 0, 1] = 1
    labels, weights = run(BoxAnnotatorOHEMLayer(roi_per_img=1), rois, loss, loss + 50, torch.ones(2, 6, 3, 4))
    assert labels.flatten().nonzero().numel() == 24
    assert (labels.flatten() > 0).nonzero().flatten().tolist() == [13, 23]  # the one of image 1, the last of image 0
    assert weights.sum((0, 1)).nonzero().tolist() == [[0, 1], [2, 3]]


def test_no_rois() -> None:
    empty = (torch.empty(0, channels, 1, 1) for channels in (5, 1, 1, 8))
    labels, weights = run(BoxAnnotatorOHEMLayer(roi_per_img=2), *empty)
    assert (labels.shape, weights.shape) == ((0, 1, 1, 1), (0, 8, 1, 1))


def test_no_gradient_passes() -> None:
    rois, *rest = blobs([0, 0], [0.1, 0.2])
    tops = BoxAnnotatorOHEMLayer(roi_per_img=1)(rois, *(blob.requires_grad_() for blob in rest))
    assert not any(top.requires_grad for top in tops)


def test_what_does_not_fit_is_refused() -> None:
    for none in (None, 0):
        with pytest.raises(LayerError, match="needs roi_per_img of at least 1"):
            BoxAnnotatorOHEMLayer(roi_per_img=none)
    layer, (rois, loss, labels, weights) = BoxAnnotatorOHEMLayer(roi_per_img=2), blobs([0, 0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(LayerError, match="takes rois 3×5×1×1 for rois 3×4×1×1, got 3×4×1×1"):
        layer(rois[:, 1:], loss, labels, weights)
    with pytest.raises(LayerError, match="takes labels 3×1×1×1 for rois 3×5×1×1, got 2×1×1×1"):
        layer(rois, loss, labels[1:], weights)
    with pytest.raises(LayerError, match="takes box weights 3×8×1×1 for rois 3×5×1×1, got 3×8×1×2"):
        layer(rois, loss, labels, weights.expand(-1, -1, -1, 2))
