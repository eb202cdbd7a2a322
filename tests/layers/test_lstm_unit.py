import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.lstm_unit import LSTMUnitLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("lstm_unit", LSTMUnitLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(LSTMUnitLayer(), (1, 3, 2), (1, 3, 8), torch.tensor([[1.0, 0.0, 1.0]]), num_tops=2)


def test_a_sequence_that_begins_forgets_even_infinite_gates() -> None:
    gates = torch.zeros(1, 1, 8).index_fill_(2, torch.tensor([2, 3]), torch.nan)
    cells, _ = LSTMUnitLayer()(torch.full((1, 1, 2), 5.0), gates, torch.zeros(1, 1))
    assert cells.tolist() == [[[0, 0]]]


def test_shapes_must_agree() -> None:
    layer = LSTMUnitLayer()
    layer.setup((1, 3, 2), (1, 3, 8), (1, 3), num_tops=2)
    assert layer.top_shapes((1, 3, 2), (1, 3, 8), (1, 3)) == ((1, 3, 2), (1, 3, 2))
    for shapes in (((1, 3, 2), (1, 3, 6), (1, 3)), ((2, 3, 2), (2, 3, 8), (2, 3)), ((3, 2), (3, 8), (3,))):
        with pytest.raises(LayerError, match="takes bottoms 1×N×H, 1×N×4H and 1×N, got"):
            layer.top_shapes(*shapes)
    with pytest.raises(LayerError, match=r"takes 2 top blob\(s\), got 1"):
        layer.setup((1, 3, 2), (1, 3, 8), (1, 3))
