from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from recaffe.layers.base.layer import LayerError
from recaffe.layers.softmax_loss import SoftmaxWithLossLayer
from recaffe.layers.softmax_loss_ohem import SoftmaxWithLossOHEMLayer

from .conftest import CheckGradients


def test_caffe_agrees(fixtures_dir: Path) -> None:
    names = ("cls_score", "labels", "temp_loss_cls", "temp_prob_cls", "per_roi_loss_cls")
    with np.load(fixtures_dir / "nets" / "rfcn_train_ohem.npz") as archive:
        scores, labels, *golden = (torch.from_numpy(archive[f"top/{name}"]) for name in names)
    layer = SoftmaxWithLossOHEMLayer()
    layer.setup(tuple(scores.shape), tuple(labels.shape), num_tops=3)
    for ours, theirs in zip(layer(scores, labels), golden, strict=True):
        assert_close(ours, theirs, rtol=0, atol=1e-5 * theirs.abs().max().item())


@pytest.mark.parametrize("shape", [(2, 1, 5), (2, 5)])
def test_losses_have_the_labels_shape(shape: tuple[int, ...]) -> None:
    scores, labels = torch.randn(2, 3, 5), torch.tensor([[0.0, 2, 1, 1, 0], [2, 2, 0, 1, 0]])
    layer = SoftmaxWithLossOHEMLayer(ignore_label=1, normalization="PRE_FIXED", pre_fixed_normalizer=4)
    layer.setup((2, 3, 5), shape, num_tops=3)
    assert layer.top_shapes((2, 3, 5), shape) == ((), (2, 3, 5), shape)
    loss, probabilities, losses = layer(scores, labels.reshape(shape))
    assert losses.shape == shape
    expected = torch.nn.functional.cross_entropy(scores, labels.long(), ignore_index=1, reduction="none")
    assert_close(losses.reshape(2, 5), expected)
    assert_close(loss, expected.sum() / 4)
    assert_close(probabilities, scores.softmax(1))


def test_one_top_is_softmax_loss() -> None:
    scores, labels = torch.randn(2, 3, 5), torch.randint(3, (2, 5)).float()
    keywords = {"ignore_label": 2, "normalize": True}
    plain, ohem = SoftmaxWithLossLayer(**keywords), SoftmaxWithLossOHEMLayer(**keywords)
    assert torch.equal(ohem(scores, labels)[0], plain(scores, labels)[0])
    assert len(ohem(scores, labels)) == 1


def test_only_the_loss_passes_a_gradient(check_gradients: CheckGradients) -> None:
    labels = torch.tensor([[0.0, 2, 1, 1, 0], [2, 2, 0, 1, 0]])
    layer = SoftmaxWithLossOHEMLayer(ignore_label=0)
    check_gradients(layer, (2, 3, 5), labels, num_tops=3)
    loss, *others = layer(torch.randn(2, 3, 5, requires_grad=True), labels)
    assert loss.requires_grad
    assert not any(top.requires_grad for top in others)


def test_four_tops_are_refused() -> None:
    with pytest.raises(LayerError, match=r"takes 1 to 3 top blob\(s\), got 4"):
        SoftmaxWithLossOHEMLayer().setup((2, 3, 5), (2, 5), num_tops=4)
