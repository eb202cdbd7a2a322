"""RNN."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Arity, RecurrentLayer, register


@register("RNN")
class RNNLayer(RecurrentLayer):
    """A plain recurrent net over T steps of N independent streams, with an output of its own.

    Bottoms: x (T, N, ...), K numbers each; cont (T, N), 0 where a stream's sequence begins and 1 where it goes on;
    optionally a static input s (N, ...), the same at every step, S numbers each; with expose_hidden the state before
    the first step, h (1, N, H), H = num_output.
    Tops: o at every step (T, N, H); with expose_hidden the state after the last step, h (1, N, H).
    Params: W_xh (H, K), b_h (H,), W_xh_static (H, S) with a static input, W_hh (H, H), W_ho (H, H), b_o (H,).
    Each step: h = tanh(W_xh x + b_h + W_xh_static s + W_hh (cont h)), o = tanh(W_ho h + b_o).

    Without expose_hidden the state goes on from one forward to the next (`reset` forgets it); no diff goes that way,
    nor through a state that is a bottom or a top.

    Differs from torch.nn.RNN: the output o, one layer, one bias, cont, the static input, the state it keeps.
    Differs from Caffe: T may change from one forward to the next.
    """

    bottoms = Arity(2, 4)
    tops = Arity(1, 2)

    def add_step_params(self) -> None:
        """W_hh, W_ho and b_o."""
        square = (self.num_output, self.num_output)
        self.add_param(square, self.weight_filler)
        self.add_param(square, self.weight_filler)
        self.add_param((self.num_output,), self.bias_filler)

    def step(self, x: Tensor, cont: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The hidden values, and the output from them."""
        *_, recurrent, weight, bias = self.params
        hidden = (x + functional.linear(cont[:, None] * state[0], recurrent)).tanh()
        return functional.linear(hidden, weight, bias).tanh(), (hidden,)
