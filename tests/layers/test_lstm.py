import torch

from recaffe.layers.lstm import LSTMLayer

from .conftest import CheckGradients, Replay

CONT = torch.tensor([[0.0, 0], [1, 1], [0, 1], [1, 1]])


def test_caffe_agrees(replay: Replay) -> None:
    replay("lstm", lambda: LSTMLayer(num_output=4))
    replay("lstm_exposed", lambda: LSTMLayer(num_output=4, expose_hidden=True))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(LSTMLayer(num_output=3), (4, 2, 5), CONT, (2, 1))


def test_params_are_caffes() -> None:
    layer = LSTMLayer(num_output=3)
    layer.setup((4, 2, 5, 6), (4, 2), (2, 7))
    assert layer.param_shapes == [(12, 30), (12,), (12, 7), (12, 3)]


def test_it_is_torchs_lstm_with_the_gates_in_another_order() -> None:
    theirs = torch.nn.LSTM(5, 3)
    ours = LSTMLayer(num_output=3)
    ours.setup((4, 2, 5), (4, 2))
    reorder = torch.cat([torch.arange(first, first + 3) for first in (0, 3, 9, 6)])  # i, f, g, o -> i, f, o, g
    weights = [theirs.weight_ih_l0, theirs.bias_ih_l0 + theirs.bias_hh_l0, theirs.weight_hh_l0]
    ours.load_state_dict({str(i): weight[reorder] for i, weight in enumerate(weights)})
    x = torch.randn(4, 2, 5)
    torch.testing.assert_close(ours(x, torch.ones(4, 2))[0], theirs(x)[0])
