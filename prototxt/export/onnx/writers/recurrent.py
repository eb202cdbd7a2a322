"""LSTM, RNN and LSTMUnit as ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable

from .....layers import LSTMLayer, LSTMUnitLayer, RecurrentLayer, RNNLayer
from ..stage import INT, Stage, Value
from .registry import writes

Values = tuple[Value, ...]
Step = Callable[[Values, Value, Value], Values]
"""From the states (N, H), the input's share (N, gates * H) and cont (N, 1) to the new states and the top."""


@writes(LSTMLayer)
def lstm(layer: LSTMLayer, to: Stage, *bottoms: Value) -> Values:
    """A Scan over time; ONNX's own LSTM knows no cont."""

    def step(states: Values, x: Value, cont: Value) -> Values:
        hidden, cells = states
        cells, hidden = _unit(cells, x + _product(to, cont * hidden, len(to.params) - 1), cont)
        return hidden, cells, hidden

    return _over_time(layer, to, bottoms, step)


@writes(RNNLayer)
def rnn(layer: RNNLayer, to: Stage, *bottoms: Value) -> Values:
    """A Scan over time; ONNX's own RNN knows no cont and no output of its own."""

    def step(states: Values, x: Value, cont: Value) -> Values:
        recurrent, weight, bias = range(len(to.params) - 3, len(to.params))
        hidden = (x + _product(to, cont * states[0], recurrent)).op("Tanh")
        return hidden, _product(to, hidden, weight, bias).op("Tanh")

    return _over_time(layer, to, bottoms, step)


@writes(LSTMUnitLayer)
def lstm_unit(layer: LSTMUnitLayer, to: Stage, cells: Value, gates: Value, cont: Value) -> Values:
    """One step, for the gates' inputs as they come."""
    return _unit(cells, gates, cont.unsqueeze(2))


def _unit(cells: Value, gates: Value, cont: Value) -> tuple[Value, Value]:
    """Cells and hidden values after a step."""
    i, f, o, g = cells.stage.ops("Split", gates, count=4, axis=-1)
    after = cont * f.op("Sigmoid") * cells + i.op("Sigmoid") * g.op("Tanh")
    return after, o.op("Sigmoid") * after.op("Tanh")


def _over_time(layer: RecurrentLayer, to: Stage, bottoms: Values, step: Step) -> Values:
    """Every step in turn; without states among the bottoms each run starts from zeros."""
    x, cont, *rest = bottoms
    width = to.constant([layer.gates * layer.num_output], INT)
    # (T, N, ...) -> (T * N, K) -> (T * N, gates * H) -> (T, N, gates * H)
    shares = _product(to, x.op("Flatten", axis=2), 0, 1).reshape(
        to.op("Concat", x.lengths(0, 2), width, dtype=INT, axis=0)
    )
    if layer.has_static:
        shares = shares + _product(to, rest.pop(0).op("Flatten", axis=1), 2)
    if layer.expose_hidden:
        states = [state.op("Squeeze", to.constant([0], INT)) for state in rest]  # (1, N, H) -> (N, H)
    else:
        size = to.op("Concat", x.length(1), to.constant([layer.num_output], INT), dtype=INT, axis=0)
        states = [to.op("ConstantOfShape", size)] * layer.states
    *last, top = to.scan(
        states, [shares, cont.unsqueeze(2)], lambda inner: step(inner[: layer.states], *inner[layer.states :])
    )
    return (top, *(state.unsqueeze(0) for state in last)) if layer.expose_hidden else (top,)


def _product(to: Stage, x: Value, weight: int, bias: int | None = None) -> Value:
    """The rows of x times a weight, plus a bias."""
    return to.op("Gemm", x, to.params[weight], *([] if bias is None else [to.params[bias]]), transB=1)
