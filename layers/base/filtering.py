"""What Convolution and Deconvolution share: pairs of bottoms and tops, and learned filters in groups."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from .layer import Arity, LayerError, Shape
from .shapes import same_shapes, times
from .sliding import Ints, SlidingLayer


class FilteringLayer(SlidingLayer):
    """A layer with the params weight and bias (num_output,), the latter unless bias_term is false."""

    bottoms = Arity(1, None)
    tops = Arity(1, None)
    paired = True
    takes_half = True
    compiles = True
    operators: ClassVar[tuple[Callable[..., Tensor], ...]] = ()
    """torch's functions for one spatial axis, two and three."""

    def weight_shape(self) -> Shape:
        """The weight's shape."""
        raise NotImplementedError

    def out(self, size: Ints) -> Ints:
        """The tops' spatial lengths for the bottoms'."""
        raise NotImplementedError

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Settle the geometry and make weight and bias."""
        super().setup(*bottoms, num_tops=num_tops)
        if not self.num_output:
            raise LayerError("needs num_output of at least 1")
        for role, count in (("channels of the bottom", self.channels), ("num_output", self.num_output)):
            if self.group < 1 or count % self.group:
                raise LayerError(f"group {self.group} does not divide the {count} {role}")
        self.add_param(self.weight_shape(), self.weight_filler)
        if self.bias_term:
            self.add_param((self.num_output,), self.bias_filler)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        same_shapes(*(tuple(x.shape) for x in bottoms))
        return tuple(self._filter(x) for x in bottoms)

    def _filter(self, x: Tensor) -> Tensor:
        weight, *bias = self.params
        batch = x.shape[: self.axis]
        if x.shape[self.axis] != self.channels:
            shape = times(tuple(x.shape))
            raise LayerError(f"was set up for {self.channels} channels at axis {self.axis}, the bottom is {shape}")
        top = (*batch, self.num_output, *self.out(tuple(x.shape[self.axis + 1 :])))
        if not self.kernel:  # no spatial axis: one of length 1 does the same
            x, weight = x[..., None], weight[..., None]
        if len(batch) != 1:
            x = x.reshape(math.prod(batch), *x.shape[self.axis :])
        if self._is_plain(tuple(x.shape[2:])):
            y = self.operators[max(1, len(self.kernel)) - 1](
                x,
                weight,
                bias[0] if bias else None,
                stride=self.stride or 1,
                padding=self.pad or 0,
                dilation=self.dilation or 1,
                groups=self.group,
            )
        else:
            y = self.by_taps(x, weight, self.out(tuple(x.shape[2:])))
            y = y + bias[0].view(-1, *[1] * len(self.kernel)) if bias else y
        return y if y.shape == top else y.reshape(top)

    def _is_plain(self, size: Ints) -> bool:
        """Whether torch has it: at most three spatial axes, no dilation of 0, no kernel that hangs over the bottom."""
        return len(self.kernel) <= len(self.operators) and 0 not in self.dilation and not self.hangs_over(size)

    def hangs_over(self, size: Ints) -> bool:
        """Whether a kernel is larger than the padded bottom."""
        return False

    def by_taps(self, x: Tensor, weight: Tensor, out: Ints) -> Tensor:
        """The same, without the bias, where torch's functions do not reach."""
        raise NotImplementedError
