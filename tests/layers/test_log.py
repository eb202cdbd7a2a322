import math

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.log import LogLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("log", lambda: LogLayer(base=10.0, scale=2.0, shift=1.0))


def test_gradients(check_gradients: CheckGradients) -> None:
    bottom = torch.rand(2, 3, 4).requires_grad_()
    check_gradients(LogLayer(base=0.3, scale=-1.5, shift=2.0), bottom)


def test_it_is_natural_without_a_base() -> None:
    (top,) = LogLayer()(torch.tensor([1.0, math.e, 0.0, -1.0]))
    assert top.tolist() == pytest.approx([0.0, 1.0, -math.inf, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("base", "message"), [(1.0, "a base other than 1"), (0.0, "a base above 0"), (-3.0, "a base above 0")]
)
def test_some_bases_have_no_logarithm(base: float, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        LogLayer(base=base)
