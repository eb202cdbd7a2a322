"""InnerProduct."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from .base import Filler, Layer, LayerError, Shape, canonical_axis, register, times


@register("InnerProduct")
class InnerProductLayer(Layer):
    """Multiply by a matrix and add a bias; the fully connected layer.

    Bottom: x (*batch, *rest), `axis` is the first of rest, K their product. Top: y (*batch, num_output).
    Params: weight (num_output, K), or (K, num_output) if transpose; bias (num_output,) unless bias_term is false.
    y = weight · flatten(x) + bias; x is flattened in Caffe's order (channels, then rows), however it lies in memory.

    Differs from torch.nn.Linear: takes images as they are, and may keep its weight transposed.
    """

    messages = ("inner_product_param",)
    fresh_top = True
    takes_half = True
    compiles = True

    def __init__(
        self,
        *,
        num_output: int | None = None,
        bias_term: bool = True,
        weight_filler: Filler = Filler(),
        bias_filler: Filler = Filler(),
        axis: int = 1,
        transpose: bool = False,
    ) -> None:
        super().__init__()
        if not num_output:
            raise LayerError("needs num_output of at least 1")
        self.num_output, self.bias_term, self.axis, self.transpose = num_output, bias_term, axis, transpose
        self.weight_filler, self.bias_filler = weight_filler, bias_filler

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make weight and bias."""
        super().setup(*bottoms, num_tops=num_tops)
        self.axis = canonical_axis(self.axis, bottoms[0])
        self.inputs = math.prod(bottoms[0][self.axis :])
        shape = (self.inputs, self.num_output) if self.transpose else (self.num_output, self.inputs)
        self.add_param(shape, self.weight_filler)
        if self.bias_term:
            self.add_param((self.num_output,), self.bias_filler)

    def multiply_adds(self, *bottoms: Shape) -> int:
        """One for each weight and item."""
        return math.prod(bottoms[0][: self.axis]) * self.inputs * self.num_output

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The batch's axes, then the outputs."""
        return ((*bottoms[0][: self.axis], self.num_output),)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if math.prod(x.shape[self.axis :]) != self.inputs:
            raise LayerError(
                f"was set up for {self.inputs} numbers from axis {self.axis} on, the bottom is {times(tuple(x.shape))}"
            )
        weight, *bias = self.params
        # (*batch, *rest) -> (*batch, K)
        flat = x.reshape(*x.shape[: self.axis], self.inputs)
        return (functional.linear(flat, weight.t() if self.transpose else weight, *bias),)
