import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.hinge_loss import HingeLossLayer

from .conftest import CheckGradients, Replay

LABELS = torch.tensor([2.0, 0.0])


@pytest.mark.parametrize("norm", ["L1", "L2"])
def test_caffe_agrees(replay: Replay, norm: str) -> None:
    replay(f"hinge_{norm.lower()}", lambda: HingeLossLayer(norm=norm))


@pytest.mark.parametrize("norm", ["L1", "L2"])
def test_gradients(check_gradients: CheckGradients, norm: str) -> None:
    check_gradients(HingeLossLayer(norm=norm), (2, 3, 4), LABELS)


def test_a_score_on_the_margin_has_no_diff() -> None:
    x = torch.tensor([[-1.0, -3.0, 1.0], [0.5, -1.0, -2.0]], requires_grad=True)
    (loss,) = HingeLossLayer()(x, LABELS)
    loss.backward()
    assert loss.item() == 0.25
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 0, 0], [-0.5, 0, 0]]


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_that_is_no_class_is_refused(label: float) -> None:
    with pytest.raises(LayerError, match=r"a label is not in 0\.\.2, the classes of scores 2×3"):
        HingeLossLayer()(torch.zeros(2, 3), torch.full((2,), float(label)))


def test_labels_must_suit_the_scores() -> None:
    assert HingeLossLayer().top_shapes((2, 3, 4), (2, 1, 1, 1)) == ((),)
    with pytest.raises(LayerError, match="one first axis, got 2×3 and 4"):
        HingeLossLayer().top_shapes((2, 3), (4,))
    with pytest.raises(LayerError, match="takes one label an item, 2 in all, got 2×3"):
        HingeLossLayer().top_shapes((2, 3), (2, 3))


def test_scores_of_one_axis_are_of_one_class() -> None:
    x = torch.tensor([0.5, -3.0])
    (loss,) = HingeLossLayer()(x, torch.zeros(2))
    assert loss.item() == (0.5 + 4) / 2
