"""What LSTM and RNN share: bottoms in time, the state between them, and the loop over time."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from .fillers import Filler
from .layer import Arity, Layer, LayerError, Shape, State
from .shapes import times


class RecurrentLayer(Layer):
    """A layer whose tops at a time step depend on the steps before: Caffe's RecurrentLayer, without its inner net.

    Derived classes say how many numbers of each state there are (`states`), how many times num_output a step's input
    has (`gates`), which params follow those of the input, and how to take a step.
    """

    messages = ("recurrent_param",)
    states: ClassVar[int] = 1
    gates: ClassVar[int] = 1
    undifferentiable = frozenset({1})
    unforced = frozenset({1})

    def __init__(
        self,
        *,
        num_output: int = 0,
        weight_filler: Filler = Filler(),
        bias_filler: Filler = Filler(),
        debug_info: bool = False,
        expose_hidden: bool = False,
    ) -> None:
        super().__init__()
        if not num_output:
            raise LayerError("needs num_output of at least 1")
        self.num_output, self.expose_hidden = num_output, expose_hidden
        self.weight_filler, self.bias_filler = weight_filler, bias_filler
        self.state: tuple[Tensor, ...] = ()

    def reset(self) -> None:
        """Forget the state: the next forward starts from zeros."""
        self.state = ()

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make the params: those of the input, of the static input if there is one, then the step's own."""
        exposed = self.states if self.expose_hidden else 0
        for have, arity, role in (
            (len(bottoms), Arity(2 + exposed, 3 + exposed), "bottom"),
            (num_tops, Arity(1 + exposed, 1 + exposed), "top"),
        ):
            if have not in arity:
                hint = "with" if self.expose_hidden else "without"
                raise LayerError(f"takes {arity} {role} blob(s) {hint} expose_hidden, got {have}")
        super().setup(*bottoms, num_tops=num_tops)
        self.has_static = len(bottoms) > 2 + exposed
        self._check(bottoms)
        width = self.gates * self.num_output
        self.add_param((width, math.prod(bottoms[0][2:])), self.weight_filler)
        self.add_param((width,), self.bias_filler)
        if self.has_static:
            self.add_param((width, math.prod(bottoms[2][1:])), self.weight_filler)
        self.add_step_params()

    def add_step_params(self) -> None:
        """Add the params that come after those of the input."""
        raise NotImplementedError

    def step(self, x: Tensor, cont: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One step: from the input's share x (N, gates * H), cont (N,) and the states (N, H) to the top and states."""
        raise NotImplementedError

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """Known without a forward, which would change the state."""
        steps, streams = bottoms[0][:2]
        hidden = ((1, streams, self.num_output),) * (self.num_tops - 1)
        return ((steps, streams, self.num_output), *hidden)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        self._check([tuple(bottom.shape) for bottom in bottoms])
        x, cont, *rest = bottoms
        weight, bias = self.params[:2]
        inputs = functional.linear(x.flatten(2), weight, bias)  # (T, N, gates * H)
        if self.has_static:
            inputs = inputs + functional.linear(rest.pop(0).flatten(1), self.params[2])
        state = tuple(h[0].detach() for h in rest) if self.expose_hidden else self._carried(inputs)
        tops = []
        for now, goes_on in zip(inputs, cont.detach(), strict=True):
            top, state = self.step(now, goes_on, state)
            tops.append(top)
        last = tuple(h.detach() for h in state)
        if self.expose_hidden:
            return (torch.stack(tops), *(h[None] for h in last))
        self.state = last
        return (torch.stack(tops),)

    def place(self) -> State:
        return {str(i): state.cpu().numpy() for i, state in enumerate(self.state)}

    def return_to(self, place: State) -> None:
        self.state = tuple(torch.from_numpy(place[str(i)]) for i in range(len(place)))

    def _carried(self, like: Tensor) -> tuple[Tensor, ...]:
        """The states that the last forward left behind; zeros at first and for streams that were not there then."""
        streams = like.shape[1]
        if self.state and len(self.state[0]) >= streams:
            return tuple(h[:streams].to(like) for h in self.state)
        return (like.new_zeros(streams, self.num_output),) * self.states

    def _check(self, bottoms: list[Shape] | tuple[Shape, ...]) -> None:
        """Refuse bottoms that do not agree on steps, streams and states."""
        x, cont, *rest = bottoms
        if len(x) < 3 or cont != x[:2]:
            raise LayerError(f"takes x (T×N×...) and cont (T×N), got {times(x)} and {times(cont)}")
        if self.has_static and (len(rest[0]) < 2 or rest[0][0] != x[1]):
            raise LayerError(f"takes a static input {x[1]}×... for its {x[1]} streams, got {times(rest[0])}")
        for hidden in rest[self.has_static :]:
            if hidden != (1, x[1], self.num_output):
                raise LayerError(f"takes initial states 1×{x[1]}×{self.num_output}, got {times(hidden)}")
