"""Silence."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Layer, register


@register("Silence")
class SilenceLayer(Layer):
    """Take blobs that nobody else takes, so that they are no outputs of the net.

    Bottoms: one or more, of any shape; they get zero diffs. Tops: none.
    """

    bottoms = Arity(1, None)
    tops = Arity(0, 0)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return ()
