"""Reduction."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, canonical_axis, register


@register("Reduction")
class ReductionLayer(Layer):
    """Reduce all axes from one on to a number.

    Bottom: x (*batch, *rest), `axis` is the first of rest. Top: y (*batch).
    y = coeff * sum of x (SUM), |x| (ASUM) or x² (SUMSQ) over rest, or coeff * their mean (MEAN).

    Differs from torch.sum: always to the last axis.
    """

    messages = ("reduction_param",)

    def __init__(self, *, operation: str = "SUM", axis: int = 0, coeff: float = 1.0) -> None:
        super().__init__()
        self.operation, self.axis, self.coeff = operation, axis, coeff

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        dims = tuple(range(canonical_axis(self.axis, tuple(x.shape)), x.dim()))
        if self.operation == "MEAN":
            return (self.coeff * x.mean(dims),)
        terms = {"SUM": x, "ASUM": x.abs(), "SUMSQ": x.square()}[self.operation]
        return (self.coeff * terms.sum(dims),)
