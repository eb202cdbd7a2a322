import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.euclidean_loss import EuclideanLossLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("euclidean", EuclideanLossLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(EuclideanLossLayer(), (2, 3, 4), (2, 3, 4))


def test_only_the_count_of_an_item_must_agree() -> None:
    (loss,) = EuclideanLossLayer()(torch.ones(2, 12), torch.zeros(2, 3, 4))
    assert loss.item() == 6
    with pytest.raises(LayerError, match="got 2×12 and 2×3×5"):
        EuclideanLossLayer().top_shapes((2, 12), (2, 3, 5))
    with pytest.raises(LayerError, match="one first axis, got 2×12 and 3×8"):
        EuclideanLossLayer().top_shapes((2, 12), (3, 8))
