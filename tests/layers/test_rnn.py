import torch

from recaffe.layers.rnn import RNNLayer

from .conftest import CheckGradients, Replay

CONT = torch.tensor([[0.0, 0], [1, 1], [0, 1], [1, 1]])


def test_caffe_agrees(replay: Replay) -> None:
    replay("rnn", lambda: RNNLayer(num_output=4))
    replay("rnn_exposed", lambda: RNNLayer(num_output=4, expose_hidden=True))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(RNNLayer(num_output=3), (4, 2, 5), CONT, (2, 1))


def test_params_are_caffes() -> None:
    layer = RNNLayer(num_output=3)
    layer.setup((4, 2, 5, 6), (4, 2), (2, 7))
    assert layer.param_shapes == [(3, 30), (3,), (3, 7), (3, 3), (3, 3), (3,)]


def test_its_hidden_values_are_torchs() -> None:
    theirs = torch.nn.RNN(5, 3)
    ours = RNNLayer(num_output=3)
    ours.setup((4, 2, 5), (4, 2))
    out, bias = torch.randn(3, 3), torch.randn(3)
    params = [theirs.weight_ih_l0, theirs.bias_ih_l0 + theirs.bias_hh_l0, theirs.weight_hh_l0, out, bias]
    ours.load_state_dict({str(i): param for i, param in enumerate(params)})
    x = torch.randn(4, 2, 5)
    torch.testing.assert_close(ours(x, torch.ones(4, 2))[0], (theirs(x)[0] @ out.t() + bias).tanh())
