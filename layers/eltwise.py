"""Eltwise."""

from __future__ import annotations

from functools import reduce
from operator import add, mul

import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register, same_shapes


@register("Eltwise")
class EltwiseLayer(Layer):
    """Combine blobs number by number.

    Bottoms: two or more of one shape. Top: their product (PROD), the sum of each times its `coeff` (SUM), or their
    maximum (MAX), of that shape.
    Of equal maxima one gets the diff: the second rather than the first, else the earlier one, as Caffe compares them.

    Differs from torch.maximum: the diff of equal numbers is not shared out.
    Differs from Caffe: a product's diff is always the product of the others; stable_prod_grad false divides by the
    bottom in Caffe, the same but for NaN at 0.
    """

    messages = ("eltwise_param",)
    bottoms = Arity(2, None)
    fresh_top = True
    keeps_places = True
    compiles = True

    def __init__(self, *, operation: str = "SUM", coeff: tuple[float, ...] = (), stable_prod_grad: bool = True) -> None:
        super().__init__()
        if operation == "PROD" and coeff:
            raise LayerError("takes coeff for SUM, not for PROD")
        self.operation, self.coeff = operation, coeff
        if operation == "PROD" and not stable_prod_grad:
            self.backward_reads = frozenset({"top"})

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check that there are as many coefficients as bottoms."""
        super().setup(*bottoms, num_tops=num_tops)
        if self.coeff and len(self.coeff) != len(bottoms):
            raise LayerError(f"takes one coeff for each of its {len(bottoms)} bottoms, got {len(self.coeff)}")

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The shape of all bottoms."""
        same_shapes(*bottoms)
        return (bottoms[0],)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        same_shapes(*(tuple(x.shape) for x in bottoms))
        if self.operation == "MAX":
            first, second, *others = bottoms
            return (reduce(_larger, others, torch.where(first > second, first, second)),)
        if self.operation == "PROD":
            return (reduce(mul, bottoms),)
        terms = [c * x for c, x in zip(self.coeff, bottoms, strict=True)] if self.coeff else bottoms
        return (reduce(add, terms),)


def _larger(top: Tensor, x: Tensor) -> Tensor:
    return torch.where(x > top, x, top)
