"""Crop."""

from __future__ import annotations

from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, canonical_axis, register, times


@register("Crop")
class CropLayer(Layer):
    """Cut a blob to the size of another.

    Bottoms: x, and a reference that lends its shape alone and gets no diff. Top: y, of x's lengths before `axis` and of
    the reference's from `axis` on. y begins at `offset` in x: given once for all the cropped axes, once for each of
    them, or not at all, which is 0. The bottom's diff is 0 outside the cut.

    Differs from torch.narrow: several axes at once.
    """

    messages = ("crop_param",)
    bottoms = Arity(2, 2)

    def __init__(self, *, axis: int = 2, offset: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.axis, self.offset = axis, offset

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, reference = bottoms
        for axis, offset, size in self._cuts(tuple(x.shape), tuple(reference.shape)):
            x = x.narrow(axis, offset, size)
        return (x,)

    def _cuts(self, bottom: Shape, reference: Shape) -> list[tuple[int, int, int]]:
        """Axis, offset and length of each cut."""
        axes = range(canonical_axis(self.axis, bottom), len(bottom))
        if len(reference) < len(bottom):
            raise LayerError(f"takes a reference with all axes of the bottom {times(bottom)}, got {times(reference)}")
        if len(self.offset) not in (0, 1, len(axes)):
            raise LayerError(f"takes one offset, or one for each of {len(axes)} cropped axes, got {len(self.offset)}")
        offsets = self.offset if len(self.offset) == len(axes) else (self.offset or (0,)) * len(axes)
        cuts = [(axis, offset, reference[axis]) for axis, offset in zip(axes, offsets, strict=True)]
        for axis, offset, size in cuts:
            if offset + size > bottom[axis]:
                raise LayerError(
                    f"cannot cut {size} from {offset} on out of axis {axis} of bottom {times(bottom)}: "
                    f"the reference is {times(reference)}"
                )
        return cuts
