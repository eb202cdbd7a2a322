"""LSTM and RNN as Caffe has them, in plain torch: these definitions are copied into the modules that need them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


def lstm_unit(cells: Tensor, gates: Tensor, cont: Tensor) -> tuple[Tensor, Tensor]:
    """Cells and hidden values (*, H) after a step, from those before, gates (*, 4H: i, f, o, g) and cont (*)."""
    i, f, o, g = gates.chunk(4, -1)
    forget = torch.where(cont[..., None] == 0, 0, cont[..., None] * f.sigmoid())
    after = forget * cells + i.sigmoid() * g.tanh()
    return after, o.sigmoid() * after.tanh()


class LSTM(nn.Module):
    """x (T, N, ...), cont (T, N), 0 where a stream's sequence begins; a static input (N, ...) if made with one.

    Each run starts from zeros, or from the states handed in, hidden values and cells, (1, N, H) each.
    """

    def __init__(self, inputs: int, hidden: int, static: int = 0) -> None:
        super().__init__()
        self.hidden = hidden
        self.weight = nn.Parameter(torch.zeros(4 * hidden, inputs))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        self.static = nn.Parameter(torch.zeros(4 * hidden, static)) if static else None
        self.recurrent = nn.Parameter(torch.zeros(4 * hidden, hidden))

    def forward(self, x: Tensor, cont: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The hidden values of every step (T, N, H), and the last hidden values and cells."""
        gates = F.linear(x.flatten(2), self.weight, self.bias)  # (T, N, 4H)
        if self.static is not None:
            gates, rest = gates + F.linear(rest[0].flatten(1), self.static), rest[1:]
        hidden, cells = (state[0] for state in rest) if rest else x.new_zeros(2, x.shape[1], self.hidden)
        tops = []
        for step, goes_on in zip(gates, cont, strict=True):
            step = step + F.linear(goes_on[:, None] * hidden, self.recurrent)
            cells, hidden = lstm_unit(cells, step, goes_on)
            tops.append(hidden)
        return torch.stack(tops), hidden[None], cells[None]


class RNN(nn.Module):
    """The same without gates and cells, and with an output of its own: o = tanh(W h + b)."""

    def __init__(self, inputs: int, hidden: int, static: int = 0) -> None:
        super().__init__()
        self.hidden = hidden
        self.weight = nn.Parameter(torch.zeros(hidden, inputs))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.static = nn.Parameter(torch.zeros(hidden, static)) if static else None
        self.recurrent = nn.Parameter(torch.zeros(hidden, hidden))
        self.output = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor, cont: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs of every step (T, N, H), and the last hidden values (1, N, H)."""
        inputs = F.linear(x.flatten(2), self.weight, self.bias)  # (T, N, H)
        if self.static is not None:
            inputs, rest = inputs + F.linear(rest[0].flatten(1), self.static), rest[1:]
        hidden = rest[0][0] if rest else x.new_zeros(x.shape[1], self.hidden)
        tops = []
        for step, goes_on in zip(inputs, cont, strict=True):
            hidden = (step + F.linear(goes_on[:, None] * hidden, self.recurrent)).tanh()
            tops.append(self.output(hidden).tanh())
        return torch.stack(tops), hidden[None]
