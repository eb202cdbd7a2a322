import torch

from recaffe.layers.bnll import BNLLLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("bnll", BNLLLayer)


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(BNLLLayer(), (2, 3, 4))


def test_large_values_do_not_overflow() -> None:
    bottom = torch.tensor([-200.0, 200.0], requires_grad=True)
    (top,) = BNLLLayer()(bottom)
    top.sum().backward()
    assert top.tolist() == [0, 200]
    assert bottom.grad is not None
    assert bottom.grad.tolist() == [0, 1]
