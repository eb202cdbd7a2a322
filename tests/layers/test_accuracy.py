import pytest
import torch

from recaffe.layers.accuracy import AccuracyLayer
from recaffe.layers.base.layer import LayerError

from .conftest import Replay

CASES = {"accuracy": {}, "accuracy_per_class": {}, "accuracy_top3_ignore": {"top_k": 3, "ignore_label": 1}}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: AccuracyLayer(**CASES[name]))


def test_a_tie_counts_against_the_label() -> None:
    scores = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    (once,) = AccuracyLayer()(scores, torch.tensor([0.0, 2.0]))
    (twice,) = AccuracyLayer(top_k=2)(scores, torch.tensor([0.0, 2.0]))
    assert (once.item(), twice.item()) == (0.5, 1.0)


def test_classes_lie_along_the_axis() -> None:
    scores = torch.zeros(2, 4, 3)
    scores[:, 1, 2] = 1
    layer = AccuracyLayer(axis=2)
    layer.setup((2, 4, 3), (2, 4), num_tops=2)
    accuracy, per_class = layer(scores, torch.full((2, 4), 2.0))
    assert accuracy.item() == 2 / 8
    assert per_class.tolist() == [0, 0, 2 / 8]


def test_the_axis_may_be_the_first() -> None:
    (accuracy,) = AccuracyLayer(axis=0)(torch.tensor([[3.0, 1, 0], [2.0, 4, 5]]), torch.tensor([0.0, 1, 0]))
    assert accuracy.item() == pytest.approx(2 / 3)


def test_without_labels_it_is_zero() -> None:
    (accuracy,) = AccuracyLayer(ignore_label=1)(torch.randn(3, 2), torch.ones(3))
    assert accuracy.item() == 0


def test_more_than_the_classes_is_refused() -> None:
    with pytest.raises(LayerError, match="top_k 4 is more than the 3 classes of 2×3"):
        AccuracyLayer(top_k=4)(torch.zeros(2, 3), torch.zeros(2))
