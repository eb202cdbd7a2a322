import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.silence import SilenceLayer


def test_it_takes_anything_and_gives_nothing() -> None:
    layer = SilenceLayer()
    layer.setup((2, 3), (4,), num_tops=0)
    assert layer(torch.zeros(2, 3), torch.zeros(4)) == ()
    assert layer.top_shapes((2, 3), (4,)) == ()


def test_a_top_is_refused() -> None:
    with pytest.raises(LayerError, match=r"takes 0 top blob\(s\), got 1"):
        SilenceLayer().setup((2, 3), num_tops=1)
