"""Parameter."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Filler, Layer, Shape, register


@register("Parameter")
class ParameterLayer(Layer):
    """Make a param a blob, so that any layer can take it.

    Bottoms: none. Top: the param, of the given `shape`, no axes without one. Params: that one, which starts as 0.
    The top's diff is the param's.

    Differs from torch.nn.Parameter: it is a layer.
    Differs from Caffe: an in-place layer behind it leaves the param as it is; there the two share memory.
    """

    messages = ("parameter_param",)
    bottoms = Arity(0, 0)

    def __init__(self, *, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape or ()

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Make the param."""
        super().setup(*bottoms, num_tops=num_tops)
        self.add_param(self.shape, Filler())

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (param,) = self.params
        # A view, so that the top's diff is that of this place alone, and no hook on it outlives a forward.
        return (param.view_as(param),)
