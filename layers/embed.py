"""Embed."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .base import Filler, Layer, LayerError, Shape, register
from .batch_reindex import as_indices


@register("Embed")
class EmbedLayer(Layer):
    """Look words up in a table: the product of one-hot vectors with a matrix.

    Bottom: word numbers from 0 to input_dim - 1 (any shape). Top: y, with num_output numbers for each word as its last
    axis. Params: weight (input_dim, num_output); bias (num_output,) unless bias_term is false.
    y = weight[word] + bias, a fraction of the word number being cut off. A weight's diff is the sum over all places of
    its word; the bottom gets none.

    Differs from torch.nn.Embedding: numbers are floats, and there is a bias.
    Differs from Caffe: a number outside the table is refused; Caffe reads memory that is not its own.
    """

    messages = ("embed_param",)
    undifferentiable = frozenset({0})
    fresh_top = True

    def __init__(
        self,
        *,
        num_output: int | None = None,
        input_dim: int | None = None,
        bias_term: bool = True,
        weight_filler: Filler = Filler(),
        bias_filler: Filler = Filler(),
    ) -> None:
        super().__init__()
        if not num_output or not input_dim:
            raise LayerError("needs num_output and input_dim of at least 1")
        self.num_output, self.input_dim, self.bias_term = num_output, input_dim, bias_term
        self.weight_filler, self.bias_filler = weight_filler, bias_filler

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make weight and bias."""
        super().setup(*bottoms, num_tops=num_tops)
        self.add_param((self.input_dim, self.num_output), self.weight_filler)
        if self.bias_term:
            self.add_param((self.num_output,), self.bias_filler)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        weight, *bias = self.params
        top = functional.embedding(as_indices(bottoms[0], self.input_dim), weight)
        return (top + bias[0] if bias else top,)
