import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.batch_reindex import BatchReindexLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("batch_reindex", BatchReindexLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(BatchReindexLayer(), (4, 3, 2), torch.tensor([2.0, 0, 2, 3, 2]))


def test_no_items_are_an_empty_batch() -> None:
    (top,) = BatchReindexLayer()(torch.zeros(4, 3, 2), torch.zeros(0))
    assert top.shape == (0, 3, 2)


@pytest.mark.parametrize("number", [-1.0, 4.0, float("nan")])
def test_an_item_must_be_there(number: float) -> None:
    with pytest.raises(LayerError, match=f"takes indices from 0 to 3, got {number:g}"):
        BatchReindexLayer()(torch.zeros(4, 3), torch.tensor([3.0, number]))


def test_numbers_of_several_axes_are_refused() -> None:
    with pytest.raises(LayerError, match="item numbers of one axis, got 5×1"):
        BatchReindexLayer().top_shapes((4, 3), (5, 1))
