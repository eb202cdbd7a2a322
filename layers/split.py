"""Split."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Layer, register


@register("Split")
class SplitLayer(Layer):
    """Give one blob to several takers.

    Bottom: x. Tops: one or more times x, without a copy. The bottom's diff is the sum of the tops' diffs.

    Differs from torch, where a tensor may be used several times without more ado.
    """

    never_in_place = True
    tops = Arity(1, None)
    takes_half = True
    keeps_places = True
    keeps_channels = True
    compiles = True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        # Views, so that each top has a diff of its own; x.view_as(x) would forget channels-last of a batch of one.
        return tuple(x[...] for _ in range(self.num_tops))
