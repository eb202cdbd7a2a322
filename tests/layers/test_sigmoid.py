import math

import pytest
import torch

from recaffe.layers.relu import ReLULayer
from recaffe.layers.sigmoid import SigmoidLayer
from recaffe.layers.swish import SwishLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("sigmoid", SigmoidLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(SigmoidLayer(), (2, 3))


@pytest.mark.parametrize("wanted", [True, False])
def test_large_negatives_are_0_where_caffes_formula_gives_0(wanted: bool) -> None:
    x = torch.tensor([-100.0, -60, -38.2, -38.0, -20, 0, 40]).requires_grad_(wanted)
    (y,) = SigmoidLayer()(x)
    formula = [0.5 * math.tanh(0.5 * v) + 0.5 for v in x.tolist()]  # in float64, as Caffe's
    assert [v == 0 for v in y.tolist()] == [v == 0 for v in formula] == [True] * 3 + [False] * 4
    torch.testing.assert_close(y, torch.tensor(formula))


def test_a_relu_behind_it_passes_nothing_there() -> None:
    x = torch.tensor([-50.0, -1.0], requires_grad=True)
    (y,) = ReLULayer()(*SigmoidLayer()(x))
    y.backward(torch.tensor([1e30, 1.0]))
    assert x.grad is not None
    assert x.grad[0] == 0
    assert x.grad[1] > 0


def test_nan_stays() -> None:
    assert SigmoidLayer()(torch.tensor([math.nan]))[0].isnan()


def test_swish_has_the_same_sigmoid() -> None:
    assert SwishLayer()(torch.tensor([-50.0]))[0].item() == 0
