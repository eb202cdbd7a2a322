"""Scale."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Filler, Layer, Shape, register
from .bias import check_span, span, stretch


@register("Scale")
class ScaleLayer(Layer):
    """Multiply by a factor that is stretched over the other axes, and add a bias of its shape.

    Bottoms: x (any shape), and optionally the factor s. Top: y of x's shape.
    Params: s, where it is no bottom; then the bias b of the same shape, if bias_term.
    s's shape is that of x from `axis` on, `num_axes` axes long (-1: to the end; 0: one number). As a bottom it brings
    its own count of axes. y = s * x + b. Without a filler s starts as 1, not as 0.

    Differs from torch: multiplication there aligns shapes at their ends, here at `axis`.
    """

    messages = ("scale_param",)
    bottoms = Arity(1, 2)
    fresh_top = True
    keeps_places = True
    keeps_channels = True
    in_place = True
    compiles = True

    def __init__(
        self,
        *,
        axis: int = 1,
        num_axes: int = 1,
        filler: Filler = Filler(value=1.0),
        bias_term: bool = False,
        bias_filler: Filler = Filler(),
    ) -> None:
        super().__init__()
        self.axis, self.num_axes, self.bias_term = axis, num_axes, bias_term
        self.filler, self.bias_filler = filler, bias_filler

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make the factor, unless it is a bottom, and the bias."""
        super().setup(*bottoms, num_tops=num_tops)
        num_axes = self.num_axes if len(bottoms) == 1 else len(bottoms[1])
        shape = span(bottoms[0], self.axis if num_axes else 0, num_axes)
        if len(bottoms) == 1:
            self.add_param(shape, self.filler)
        if self.bias_term:
            self.add_param(shape, self.bias_filler)

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The bottom's shape, which a factor that is a bottom must meet."""
        if len(bottoms) == 2:
            check_span(bottoms[1], bottoms[0], self.axis)
        return (bottoms[0],)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, *factors = (*bottoms, *self.params)
        scale, *bias = (stretch(factor, tuple(x.shape), self.axis) for factor in factors)
        return (x * scale + bias[0] if bias else x * scale,)
