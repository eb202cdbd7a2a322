import math

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.multinomial_logistic_loss import MultinomialLogisticLossLayer

from .conftest import CheckGradients, Replay

LABELS = torch.tensor([2.0, 0.0])


def test_caffe_agrees(replay: Replay) -> None:
    replay("multinomial", MultinomialLogisticLossLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    probabilities = torch.rand(2, 3, 4, dtype=torch.float64) + 0.1
    check_gradients(MultinomialLogisticLossLayer(), probabilities.requires_grad_(), LABELS)


def test_the_loss_has_a_floor_but_not_its_diff() -> None:
    p = torch.tensor([[0.5, 0.5, 0.0], [-1.0, 1.0, 1.0]], requires_grad=True)
    (loss,) = MultinomialLogisticLossLayer()(p, LABELS)
    assert loss.item() == pytest.approx(-math.log(1e-20))
    loss.backward()
    assert p.grad is not None
    assert p.grad[0, 2].item() == p.grad[1, 0].item() == pytest.approx(-0.5e20)
    assert p.grad.count_nonzero() == 2


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_that_is_no_class_is_refused(label: float) -> None:
    with pytest.raises(LayerError, match=r"a label is not in 0\.\.2, the classes of scores 2×3"):
        MultinomialLogisticLossLayer()(torch.ones(2, 3), torch.full((2,), float(label)))


def test_labels_must_suit_the_probabilities() -> None:
    assert MultinomialLogisticLossLayer().top_shapes((2, 3), (2, 1)) == ((),)
    with pytest.raises(LayerError, match="one first axis, got 2×3 and 3"):
        MultinomialLogisticLossLayer().top_shapes((2, 3), (3,))
    with pytest.raises(LayerError, match="takes one label an item, 2 in all, got 2×4"):
        MultinomialLogisticLossLayer().top_shapes((2, 3), (2, 4))


def test_probabilities_of_one_axis_are_of_one_class() -> None:
    (loss,) = MultinomialLogisticLossLayer()(torch.tensor([0.5, 0.25]), torch.zeros(2))
    assert loss.item() == pytest.approx(math.log(8) / 2)
