"""Bias."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Filler, Layer, LayerError, Shape, canonical_axis, register, times


@register("Bias")
class BiasLayer(Layer):
    """Add a bias that is stretched over the other axes.

    Bottoms: x (any shape), and optionally the bias b. Top: y of x's shape. Params: b, where it is no bottom.
    b's shape is that of x from `axis` on, `num_axes` axes long (-1: to the end; 0: one number). As a bottom it brings
    its own count of axes. y = x + b.

    Differs from torch: addition there aligns shapes at their ends, here at `axis`.
    """

    messages = ("bias_param",)
    bottoms = Arity(1, 2)
    fresh_top = True
    keeps_places = True
    keeps_channels = True
    in_place = True
    compiles = True

    def __init__(self, *, axis: int = 1, num_axes: int = 1, filler: Filler = Filler()) -> None:
        super().__init__()
        self.axis, self.num_axes, self.filler = axis, num_axes, filler

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make the bias, unless it is a bottom."""
        super().setup(*bottoms, num_tops=num_tops)
        if len(bottoms) == 1:
            self.add_param(span(bottoms[0], self.axis, self.num_axes), self.filler)

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The bottom's shape, which a bias that is a bottom must meet."""
        if len(bottoms) == 2:
            check_span(bottoms[1], bottoms[0], self.axis)
        return (bottoms[0],)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, bias = (*bottoms, *self.params)
        return (x + stretch(bias, tuple(x.shape), self.axis),)


def span(bottom: Shape, axis: int, num_axes: int) -> Shape:
    """The lengths of `num_axes` axes of the bottom from `axis` on; -1 takes all that follow."""
    start = canonical_axis(axis, bottom)
    if num_axes < -1 or start + num_axes > len(bottom):
        raise LayerError(f"num_axes {num_axes} from axis {axis} reaches beyond the bottom {times(bottom)}")
    return bottom[start:] if num_axes == -1 else bottom[start : start + num_axes]


def check_span(factor: Shape, bottom: Shape, axis: int) -> int:
    """Where in the bottom a factor's axes start, once it is sure that they meet there."""
    start = canonical_axis(axis, bottom) if factor else 0
    if bottom[start : start + len(factor)] != factor:
        raise LayerError(f"{times(factor)} does not meet the bottom {times(bottom)} from axis {axis} on")
    return start


def stretch(factor: Tensor, bottom: Shape, axis: int) -> Tensor:
    """The factor with axes of length 1 behind it, so that it meets the bottom's axes from `axis` on."""
    shape = tuple(factor.shape)
    start = check_span(shape, bottom, axis)
    return factor.reshape(*shape, *(1,) * (len(bottom) - start - len(shape)))
