"""Recurrent layers, step by step, from zeros."""

from __future__ import annotations

import numpy as np

from .registry import Array, Given, reads


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def unit(c: Array, gates: Array, cont: Array) -> tuple[Array, Array]:
    """Cells (N, H) and hidden values (N, H) after a step, from cells, gates (N, 4H) and cont (N,)."""
    i, f, o, g = np.split(gates, 4, -1)
    c = cont[:, None] * sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c)


def inputs(g: Given) -> tuple[Array, list[Array], list[Array]]:
    """The input's share at every step (T, N, gates * H); the states' bottoms; the params of a step."""
    x, _, *rest = g.bottoms
    weight, bias, *params = g.params
    share = x.reshape(*x.shape[:2], -1) @ weight.T + bias
    states = (2 if g.layer.type == "LSTM" else 1) if g.layer.recurrent_param.expose_hidden else 0
    if len(rest) > states:
        static, *rest = rest
        share = share + static.reshape(len(static), -1) @ params.pop(0).T
    return share, rest, params


@reads("LSTM")
def lstm(g: Given) -> list[Array]:
    share, rest, (weight,) = inputs(g)
    streams, hidden = share.shape[1], g.layer.recurrent_param.num_output
    h, c = (state[0] for state in rest) if rest else (np.zeros((streams, hidden)),) * 2
    tops = []
    for now, cont in zip(share, g.bottoms[1], strict=True):
        c, h = unit(c, now + (cont[:, None] * h) @ weight.T, cont)
        tops.append(h)
    return [np.stack(tops), h[None], c[None]]


@reads("LSTMUnit")
def lstm_unit(g: Given) -> list[Array]:
    c, h = unit(g.bottoms[0][0], g.bottoms[1][0], g.bottoms[2][0])
    return [c[None], h[None]]


@reads("RNN")
def rnn(g: Given) -> list[Array]:
    share, rest, (weight, out, bias) = inputs(g)
    h = rest[0][0] if rest else np.zeros((share.shape[1], g.layer.recurrent_param.num_output))
    tops = []
    for now, cont in zip(share, g.bottoms[1], strict=True):
        h = np.tanh(now + (cont[:, None] * h) @ weight.T)
        tops.append(np.tanh(h @ out.T + bias))
    return [np.stack(tops), h[None]]
