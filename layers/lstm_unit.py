"""LSTMUnit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, register, times


@register("LSTMUnit")
class LSTMUnitLayer(Layer):
    """One time step of an LSTM, from its gates' inputs on: what LSTM is unrolled into.

    Bottoms: cells c' before the step (1, N, H); the gates' inputs x (1, N, 4H), in the order i, f, o, g; cont (1, N), 0
    where a sequence begins and 1 where it goes on, which gets no diff.
    Tops: cells c (1, N, H); hidden values h (1, N, H).
    i, o = sigmoid(xi), sigmoid(xo); f = cont sigmoid(xf); g = tanh(xg); c = f c' + i g; h = o tanh(c).
    With a cont other than 0 and 1 the diff of xf is c' dc f (1 - f), as Caffe has it.

    Differs from torch.nn.LSTMCell: the order of the gates, cont; the products with the weights come before it.
    """

    bottoms = Arity(3, 3)
    tops = Arity(2, 2)
    unforced = frozenset({2})
    undifferentiable = frozenset({2})

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        cells, gates, cont = bottoms
        _, streams, hidden = cells.shape if cells.dim() == 3 else (0, 0, 0)
        wanted = (1, streams, hidden), (1, streams, 4 * hidden), (1, streams)
        if any(b.shape != shape for b, shape in zip(bottoms, wanted, strict=True)):
            shapes = ", ".join(times(tuple(b.shape)) for b in bottoms)
            raise LayerError(f"takes bottoms 1×N×H, 1×N×4H and 1×N, got {shapes}")
        after, hidden_values = lstm_step(cells, gates, cont.detach())
        return after.view_as(after), hidden_values  # apart, since the first top's diff holds no way through the second


def lstm_step(cells: Tensor, gates: Tensor, cont: Tensor) -> tuple[Tensor, Tensor]:
    """Cells and hidden values (*, H) after a step, from the cells before it, the gates' inputs (*, 4H) and cont (*)."""
    i, f, o, g = gates.chunk(4, -1)
    after = _forget(f, cont[..., None]) * cells + i.sigmoid() * g.tanh()
    return after, o.sigmoid() * after.tanh()


class _Forget(torch.autograd.Function):
    """The forget gate, f = cont * sigmoid(x); Caffe takes its derivative to be f (1 - f)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cont: Tensor) -> Tensor:
        f = torch.where(cont == 0, 0, cont * x.sigmoid())
        ctx.save_for_backward(f)
        return f

    @staticmethod
    def backward(ctx: Any, *diffs: Tensor) -> tuple[Tensor | None, ...]:
        (f,) = ctx.saved_tensors
        return diffs[0] * f * (1 - f), None


_forget: Callable[..., Tensor] = _Forget.apply
