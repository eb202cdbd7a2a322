"""Recurrent layers."""

from __future__ import annotations

from ..draw import Dice, Drawn, Feed, Shape, draws

XAVIER = {"type": "xavier"}


def recurrent(shape: Shape, of: Dice, states: int) -> Drawn | None:
    if len(shape) < 3:
        return None
    hidden, exposed = of.upto(1, 3), of.chance(0.3)
    others = [Feed(shape[:2], "flags")]
    if of.chance(0.4):
        others.append(Feed((shape[1], *(of.upto(1, 3) for _ in range(of.upto(1, 2))))))
    if exposed:
        others += [Feed((1, shape[1], hidden), "state")] * states
    fields = {"num_output": hidden, "expose_hidden": exposed, "weight_filler": XAVIER}
    tops = 1 + states if exposed else 1
    return Drawn({"recurrent_param": fields}, others, tops=tops, read_on=1, in_place=False)


@draws("LSTM")
def lstm(shape: Shape, of: Dice) -> Drawn | None:
    return recurrent(shape, of, 2)


@draws("RNN")
def rnn(shape: Shape, of: Dice) -> Drawn | None:
    return recurrent(shape, of, 1)


@draws("LSTMUnit")
def lstm_unit(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) != 3 or shape[0] != 1:
        return None
    gates = Feed((1, shape[1], 4 * shape[2]))
    return Drawn({}, [gates, Feed(shape[:2], "flags")], tops=2, in_place=False)
