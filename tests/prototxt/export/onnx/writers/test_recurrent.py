"""LSTM, RNN and LSTMUnit give the same in ONNX, over any number of steps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from recaffe.layers.base.recurrent import RecurrentLayer

from ..conftest import Agree, inputs, layer, random_net

HIDDEN = 4
FILLED = "recurrent_param { num_output: 4"


def cont(steps: int) -> Tensor:
    """Streams that begin, go on and begin again."""
    goes_on = (torch.arange(steps * 2).reshape(steps, 2) % 3 > 0).float()
    goes_on[0] = 0
    return goes_on


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
@pytest.mark.parametrize("static", [False, True])
def test_from_zeros(kind: str, static: bool, agree: Agree) -> None:
    shapes = {"x": (3, 2, 5, 6), "c": (3, 2), **({"s": (2, 7)} if static else {})}
    net = random_net(inputs(**shapes) + layer(kind, FILLED + " }", " ".join(shapes)))
    for steps in (3, 6):
        (recurrent,) = (module for module in (step.layer for step in net.steps) if isinstance(module, RecurrentLayer))
        recurrent.reset()
        agree(net, {**shapes, "x": (steps, 2, 5, 6), "c": cont(steps)})


@pytest.mark.parametrize(("kind", "states"), [("LSTM", ["h", "k"]), ("RNN", ["h"])])
@pytest.mark.parametrize("static", [False, True])
def test_from_states_that_are_bottoms(kind: str, states: list[str], static: bool, agree: Agree) -> None:
    shapes = {"x": (3, 2, 5), "c": (3, 2), **({"s": (2, 7)} if static else {})}
    shapes |= dict.fromkeys(states, (1, 2, HIDDEN))
    tops = " ".join(["y", *(f"last_{state}" for state in states)])
    text = inputs(**shapes) + layer(kind, FILLED + " expose_hidden: true }", " ".join(shapes), tops)
    agree(text, *({**shapes, "x": (steps, 2, 5), "c": cont(steps)} for steps in (3, 1, 5)))


def test_one_unit(agree: Agree) -> None:
    text = inputs(k=(1, 3, 2), x=(1, 3, 8), c=(1, 3)) + layer("LSTMUnit", "", "k x c", "cells hidden")
    agree(text, {"k": (1, 3, 2), "x": (1, 3, 8), "c": torch.tensor([[1.0, 0.0, 1.0]])})
