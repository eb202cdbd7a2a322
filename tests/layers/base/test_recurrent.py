import pytest
import torch
from torch import Tensor

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import LayerError
from recaffe.layers.base.recurrent import RecurrentLayer
from recaffe.layers.lstm import LSTMLayer
from recaffe.layers.rnn import RNNLayer

X = torch.randn(6, 2, 5, generator=torch.Generator().manual_seed(1))
GOES_ON = torch.ones(6, 2)
TYPES = pytest.mark.parametrize("make", [LSTMLayer, RNNLayer])


def made(make: type[RecurrentLayer], expose_hidden: bool = False) -> RecurrentLayer:
    layer = make(num_output=3, expose_hidden=expose_hidden)
    exposed = layer.states if expose_hidden else 0
    layer.setup((6, 2, 5), (6, 2), *[(1, 2, 3)] * exposed, num_tops=1 + exposed)
    generator = torch.Generator().manual_seed(2)
    for param in layer.params:
        Filler("gaussian", std=0.5).fill(param, generator)
    return layer


def run(layer: RecurrentLayer, x: Tensor, cont: Tensor) -> Tensor:
    return layer(x, cont)[0].detach()


@TYPES
def test_the_state_goes_on_from_forward_to_forward(make: type[RecurrentLayer]) -> None:
    whole = run(made(make), X, GOES_ON)
    layer = made(make)
    parts = [run(layer, X[:4], GOES_ON[:4]), run(layer, X[4:], GOES_ON[4:])]
    torch.testing.assert_close(torch.cat(parts), whole)
    assert not torch.allclose(run(layer, X, GOES_ON), whole)
    layer.reset()
    assert torch.equal(run(layer, X, GOES_ON), whole)


@TYPES
def test_cont_zero_starts_anew(make: type[RecurrentLayer]) -> None:
    layer = made(make)
    cont = GOES_ON.clone()
    cont[3, 1] = 0
    y = run(layer, X, cont)
    layer.reset()
    anew = run(layer, X[3:], GOES_ON[3:])
    torch.testing.assert_close(y[3:, 1], anew[:, 1])
    assert not torch.allclose(y[3:, 0], anew[:, 0])


@TYPES
def test_no_diff_flows_into_an_earlier_forward(make: type[RecurrentLayer]) -> None:
    layer = made(make)
    first = X.clone().requires_grad_()
    layer(first, GOES_ON)
    layer(X, GOES_ON)[0].sum().backward()
    assert first.grad is None


@TYPES
def test_exposed_states_chain_forwards(make: type[RecurrentLayer]) -> None:
    layer = made(make, expose_hidden=True)
    zeros = (torch.zeros(1, 2, 3),) * layer.states
    whole, *last = layer(X, GOES_ON, *zeros)
    first, *between = layer(X[:4], GOES_ON[:4], *zeros)
    second, *end = layer(X[4:], GOES_ON[4:], *between)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, last)
    assert torch.equal(whole.detach(), run(made(make), X, GOES_ON))
    assert not any(state.requires_grad for state in last)


@TYPES
def test_other_streams_begin_at_zero(make: type[RecurrentLayer]) -> None:
    layer = made(make)
    run(layer, X, GOES_ON)
    fewer = run(layer, X[:, :1], GOES_ON[:, :1])
    layer.reset()
    run(layer, X, GOES_ON)
    torch.testing.assert_close(fewer[:, 0], run(layer, X, GOES_ON)[:, 0])
    more = torch.cat([X, X], 1)
    torch.testing.assert_close(run(layer, more, torch.ones(6, 4))[:, :2], run(made(make), X, GOES_ON))


@TYPES
def test_shapes_are_known_without_a_forward(make: type[RecurrentLayer]) -> None:
    layer = made(make, expose_hidden=True)
    states = [(1, 2, 3)] * layer.states
    assert layer.top_shapes((6, 2, 5), (6, 2), *states) == ((6, 2, 3), *states)
    assert layer.state == ()
    assert "state" not in "".join(layer.state_dict())


def test_what_caffe_refuses_is_refused() -> None:
    with pytest.raises(LayerError, match="needs num_output of at least 1"):
        LSTMLayer()
    layer = LSTMLayer(num_output=3)
    for x, cont in (((6, 2), (6, 2)), ((6, 2, 5), (6, 3)), ((6, 2, 5), (6, 2, 1))):
        with pytest.raises(LayerError, match=r"takes x \(T×N×...\) and cont \(T×N\), got"):
            layer.setup(x, cont)
    for static in ((2,), (3, 5)):
        with pytest.raises(LayerError, match=r"takes a static input 2×... for its 2 streams, got"):
            layer.setup((6, 2, 5), (6, 2), static)
    with pytest.raises(LayerError, match=r"takes 2 to 3 bottom blob\(s\) without expose_hidden, got 4"):
        layer.setup((6, 2, 5), (6, 2), (1, 2, 3), (1, 2, 3))
    with pytest.raises(LayerError, match=r"takes 2 top blob\(s\) with expose_hidden, got 1"):
        RNNLayer(num_output=3, expose_hidden=True).setup((6, 2, 5), (6, 2), (1, 2, 3))
    with pytest.raises(LayerError, match="takes initial states 1×2×3, got 1×2×4"):
        RNNLayer(num_output=3, expose_hidden=True).setup((6, 2, 5), (6, 2), (1, 2, 4), num_tops=2)
