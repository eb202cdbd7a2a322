"""Tile."""

from __future__ import annotations

from torch import Tensor

from .base import Layer, LayerError, canonical_axis, register


@register("Tile")
class TileLayer(Layer):
    """Repeat a blob along an axis.

    Bottom: x. Top: x, `tiles` times one behind the other along `axis`. The bottom's diff is the sum over the tiles.

    Differs from torch.Tensor.repeat: one axis, named.
    """

    messages = ("tile_param",)
    fresh_top = True

    def __init__(self, *, axis: int = 1, tiles: int | None = None) -> None:
        super().__init__()
        if tiles is None or tiles < 1:
            raise LayerError(f"needs tiles of at least 1, got {'none' if tiles is None else tiles}")
        self.axis, self.tiles = axis, tiles

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        axis = canonical_axis(self.axis, tuple(x.shape))
        return (x.repeat(*(self.tiles if i == axis else 1 for i in range(x.dim()))),)
