"""Filter."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register, times


@register("Filter")
class FilterLayer(Layer):
    """Keep the items of a batch that are selected.

    Bottoms: one or more blobs (N, ...), then the selector (N,), which may have more axes of length 1.
    Tops: for each of those blobs the items whose selector is not 0, in order (M, ...); none selected, M is 0.
    The diff of an item that is not kept is 0; the selector gets none.
    M is known only when the layer runs: before, M = N stands for it, as in Caffe.

    Differs from torch.masked_select: whole items of several blobs. Differs from Caffe: backward works with M = 0.
    """

    bottoms = Arity(2, None)
    tops = Arity(1, None)
    fresh_top = True

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check that each blob has its top, and that all have as many items as the selector."""
        super().setup(*bottoms, num_tops=num_tops)
        if num_tops != len(bottoms) - 1:
            raise LayerError(
                f"gives one top for each bottom but the selector, got {len(bottoms)} bottoms, {num_tops} top(s)"
            )
        self.undifferentiable = frozenset({num_tops})
        _same_items(bottoms)

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """Those of the bottoms, as if all items were selected."""
        return bottoms[:-1]

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        _same_items(tuple(tuple(bottom.shape) for bottom in bottoms))
        *blobs, selector = bottoms
        kept = selector.detach().flatten().nonzero().flatten()
        return tuple(blob.index_select(0, kept) for blob in blobs)


def _same_items(bottoms: tuple[Shape, ...]) -> None:
    *blobs, selector = bottoms
    if not selector or set(selector[1:]) - {1}:
        raise LayerError(f"takes a selector with one number for each item, got {times(selector)}")
    for index, blob in enumerate(blobs):
        if blob[:1] != selector[:1]:
            raise LayerError(
                f"takes one selector number for each item, got {times(selector)} and, as bottom {index}, {times(blob)}"
            )
