"""What slides a kernel over the spatial axes: the fields of ConvolutionParameter, and the geometry that they give."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from .fillers import Filler
from .layer import Layer, LayerError, Shape
from .shapes import canonical_axis, times

Ints = tuple[int, ...]


class SlidingLayer(Layer):
    """A layer of ConvolutionParameter: `setup` settles kernel, pad, stride and dilation, a number each a spatial axis.

    kernel_size, pad, stride and dilation hold one number for all spatial axes or one for each; kernel, pad and stride
    of two spatial axes may be spelt _h and _w instead, not both ways. engine and force_nd_im2col change no result.
    """

    messages = ("convolution_param",)
    fresh_top = True

    def __init__(
        self,
        *,
        num_output: int | None = None,
        bias_term: bool = True,
        pad: Ints = (),
        kernel_size: Ints = (),
        group: int = 1,
        stride: Ints = (),
        weight_filler: Filler = Filler(),
        bias_filler: Filler = Filler(),
        pad_h: int = 0,
        pad_w: int = 0,
        kernel_h: int | None = None,
        kernel_w: int | None = None,
        stride_h: int | None = None,
        stride_w: int | None = None,
        engine: str = "DEFAULT",
        axis: int = 1,
        force_nd_im2col: bool = False,
        dilation: Ints = (),
    ) -> None:
        super().__init__()
        self.num_output, self.group, self.axis, self.bias_term = num_output or 0, group, axis, bias_term
        self.weight_filler, self.bias_filler = weight_filler, bias_filler
        self.spellings = {
            "kernel_size": _one_spelling("kernel_size", kernel_size, "kernel_h", kernel_h, "kernel_w", kernel_w),
            "pad": _one_spelling("pad", pad, "pad_h", pad_h or None, "pad_w", pad_w or None),
            "stride": _one_spelling("stride", stride, "stride_h", stride_h, "stride_w", stride_w),
            "dilation": dilation,
        }

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Settle the geometry."""
        super().setup(*bottoms, num_tops=num_tops)
        self.axis = canonical_axis(self.axis, bottoms[0])
        self.channels, spatial = bottoms[0][self.axis], len(bottoms[0]) - self.axis - 1
        self.kernel = self._per_axis("kernel_size", spatial, default=None)
        self.pad = self._per_axis("pad", spatial, default=0)
        self.stride = self._per_axis("stride", spatial, default=1)
        self.dilation = self._per_axis("dilation", spatial, default=1)
        if 0 in self.kernel + self.stride:
            raise LayerError(f"kernel {self.kernel} and stride {self.stride} must be at least 1")

    def _per_axis(self, name: str, spatial: int, default: int | None) -> Ints:
        """A number for each spatial axis."""
        given = self.spellings[name]
        if not given and default is not None:
            given = (default,)
        numbers = given * spatial if len(given) == 1 else given
        if len(numbers) == spatial:
            return numbers
        raise LayerError(f"{name} is given {len(given)} time(s), not once, nor for each of {spatial} spatial axes")

    @property
    def reach(self) -> Ints:
        """The cells from a kernel's first to its last, along each spatial axis."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))

    def places(self, size: Ints) -> Ints:
        """How many places a kernel has along each spatial axis of these lengths.

        One that hangs over the padded bottom by less than its stride has one place: C++ divides towards zero.
        """
        room = tuple(length + 2 * pad for length, pad in zip(size, self.pad, strict=True))
        steps = list(zip(room, self.reach, self.stride, strict=True))
        if any(have - need <= -s for have, need, s in steps):
            raise LayerError(f"kernel spans {times(self.reach)}, the padded bottom has only {times(room)}")
        return tuple(max(0, have - need) // s + 1 for have, need, s in steps)

    def padded(self, x: Tensor) -> Tensor:
        """A bottom with zeros around it, behind it as many more as a kernel hangs over."""
        over = (max(0, r - n - 2 * p) for n, p, r in zip(x.shape[-len(self.pad) :], self.pad, self.reach, strict=True))
        sides = [side for p, more in reversed(list(zip(self.pad, over, strict=True))) for side in (p, p + more)]
        return functional.pad(x, sides)


def _one_spelling(name: str, values: Ints, name_h: str, h: int | None, name_w: str, w: int | None) -> Ints:
    """The numbers of one field, given as a list or for height and width."""
    if h is None and w is None:
        return values
    if values:
        raise LayerError(f"takes either {name} or {name_h} and {name_w}, not both")
    return (h or 0, w or 0)
