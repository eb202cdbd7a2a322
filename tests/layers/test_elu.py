import pytest
import torch

from recaffe.layers.elu import ELULayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("elu", lambda: ELULayer(alpha=0.7))


@pytest.mark.parametrize("alpha", [0.0, 1.3, -0.5])
def test_gradients(check_gradients: CheckGradients, alpha: float) -> None:
    check_gradients(ELULayer(alpha=alpha), (2, 3, 4))


def test_the_gradient_at_zero_is_alpha() -> None:
    bottom = torch.zeros(3, requires_grad=True)
    ELULayer(alpha=0.25)(bottom)[0].sum().backward()
    assert bottom.grad is not None
    assert bottom.grad.tolist() == [0.25] * 3
