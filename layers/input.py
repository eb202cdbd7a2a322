"""Input."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register


@register("Input")
class InputLayer(Layer):
    """Name the blobs that are handed in, and their shapes.

    Bottoms: none. Tops: one or more, each of its own `shape`, or all of the only one; without a shape, of no axes.
    """

    messages = ("input_param",)
    bottoms = Arity(0, 0)
    tops = Arity(1, None)

    def __init__(self, *, shape: tuple[Shape, ...] = ()) -> None:
        super().__init__()
        self.shape = shape

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check that the shapes suit the tops."""
        super().setup(*bottoms, num_tops=num_tops)
        if len(self.shape) not in (0, 1, num_tops):
            raise LayerError(f"has {len(self.shape)} shapes for {num_tops} tops: give one, one for each top, or none")

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The shapes as given."""
        shapes = self.shape or ((),)
        return shapes if len(shapes) == self.num_tops else shapes * self.num_tops

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        raise LayerError("makes no data: hand its blobs in, net(name=...)")
