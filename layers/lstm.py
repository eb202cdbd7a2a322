"""LSTM."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Arity, RecurrentLayer, register
from .lstm_unit import lstm_step


@register("LSTM")
class LSTMLayer(RecurrentLayer):
    """A long short-term memory over T steps of N independent streams.

    Bottoms: x (T, N, ...), K numbers each; cont (T, N), 0 where a stream's sequence begins and 1 where it goes on;
    optionally a static input s (N, ...), the same at every step, S numbers each; with expose_hidden the states before
    the first step, h (1, N, H) and c (1, N, H), H = num_output.
    Tops: h at every step (T, N, H); with expose_hidden the states after the last step, h (1, N, H) and c (1, N, H).
    Params: W_xc (4H, K), b_c (4H,), W_xc_static (4H, S) with a static input, W_hc (4H, H); rows: gates i, f, o, g.
    Each step: gates = W_xc x + b_c + W_xc_static s + W_hc (cont h), then c and h as in LSTMUnit.

    Without expose_hidden the states go on from one forward to the next (`reset` forgets them); no diff goes that way,
    nor through states that are bottoms or tops.

    Differs from torch.nn.LSTM: one layer, one bias, the order of the gates, cont, the static input, the state it keeps.
    Differs from Caffe: T may change from one forward to the next.
    """

    bottoms = Arity(2, 5)
    tops = Arity(1, 3)
    states = 2
    gates = 4

    def add_step_params(self) -> None:
        """W_hc."""
        self.add_param((4 * self.num_output, self.num_output), self.weight_filler)

    def step(self, x: Tensor, cont: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Gates from the input and the hidden values, then one LSTMUnit."""
        hidden, cells = state
        gates = x + functional.linear(cont[:, None] * hidden, self.params[-1])
        cells, hidden = lstm_step(cells, gates, cont)
        return hidden, (hidden, cells)
